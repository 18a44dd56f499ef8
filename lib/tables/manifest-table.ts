/**
 * A lake's current parts, listed bucket by bucket: `_manifest/<bucket>/manifest-<job id>`, one path a line, as
 * SymlinkTextInputFormat reads them (Hive, Trino, Presto, Athena) and as DuckDB's view of `sluice ddl` does. A file is put
 * in the place of another in one step, and a swap is within one bucket: so whoever reads a manifest gets each row once.
 *
 * A commit costs reading and writing the lists of its buckets.
 */
import pLimit from 'p-limit';
import {
  bucketOf,
  type LakeTable,
  MANIFEST_FOLDER,
  manifestName,
  type TableChange,
  type TablePart,
} from '../commit/lake-table.ts';
import type { Swap } from '../commit/swap.ts';
import { isS3Location } from '../core/location.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';

/** Lists written at once. */
const MAX_WRITES = 16;

export interface ManifestTableOptions {
  readonly fileSystem: FileSystem;
  /** Of the lake. */
  readonly path: string;
  readonly jobId: string;
}

export class ManifestTable implements LakeTable {
  readonly #options: ManifestTableOptions;
  readonly #limit = pLimit(MAX_WRITES);
  /** There while all lists are made anew. Readers pass over it, by its dot. */
  readonly #rebuilding: string;

  constructor(options: ManifestTableOptions) {
    this.#options = options;
    this.#rebuilding = `${options.path}/${MANIFEST_FOLDER}/.rebuilding-${options.jobId}`;
  }

  /** By any list of the job: others may have made the folder anew. It is not told of checkpoints. */
  async recognize(): Promise<boolean> {
    const { fileSystem } = this.#options;
    if ((await fileSystem.stat(this.#rebuilding)) !== null) return false;
    for await (const files of this.#lists()) if (files.length > 0) return true;
    return false;
  }

  async prepare(): Promise<void> {
    await this.#options.fileSystem.makeFolder(`${this.#options.path}/${MANIFEST_FOLDER}`);
  }

  async commit({ parts, swaps }: TableChange): Promise<readonly Swap[]> {
    const changes = new Map<string, { added: string[]; removed: Set<string> }>();
    const changeOf = (bucketId: string) => {
      let change = changes.get(bucketId);
      if (change === undefined) {
        change = { added: [], removed: new Set() };
        changes.set(bucketId, change);
      }
      return change;
    };
    for (const { bucketId, path } of parts) changeOf(bucketId).added.push(path);
    for (const { bucketId, file, sources } of swaps) {
      const { added, removed } = changeOf(bucketId);
      added.push(file.finalPath);
      for (const source of sources) removed.add(source);
    }
    await this.#each([...changes], async ([bucketId, { added, removed }]) => {
      const before = await this.#read(bucketId);
      const listed = new Set(before);
      for (const path of added) listed.add(path);
      for (const path of removed) listed.delete(path);
      await this.#write(bucketId, before, listed);
    });
    return [];
  }

  async reconcile({ parts }: { readonly parts: readonly TablePart[] }): Promise<void> {
    const { fileSystem, path } = this.#options;
    const lists = new Map<string, Set<string>>();
    const folder = `${path}/${MANIFEST_FOLDER}`;
    for await (const files of this.#lists())
      for (const file of files) lists.set(bucketOf(file.path, folder), new Set());
    for (const { bucketId, path: part } of parts) {
      const list = lists.get(bucketId) ?? new Set();
      lists.set(bucketId, list.add(part));
    }
    // A crash between two lists must not leave some that look like all.
    await fileSystem.replace(this.#rebuilding, new Uint8Array(0));
    await this.#each([...lists], async ([bucketId, listed]) =>
      this.#write(bucketId, await this.#read(bucketId), listed),
    );
    await fileSystem.remove(this.#rebuilding);
  }

  has(): boolean {
    return true;
  }

  /** The job's lists. */
  async *#lists(): AsyncIterable<readonly FileStatus[]> {
    const { fileSystem, path, jobId } = this.#options;
    const folder = `${path}/${MANIFEST_FOLDER}`;
    if ((await fileSystem.stat(folder)) === null) return;
    const wantFile = (file: string) =>
      file.endsWith(`/${manifestName(jobId)}`) || file === manifestName(jobId);
    yield* fileSystem.list(folder, { enterFolder: () => true, wantFile });
  }

  async #each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    await Promise.all(items.map((item) => this.#limit(() => work(item))));
  }

  async #read(bucketId: string): Promise<readonly string[]> {
    const bytes = await this.#options.fileSystem.readFile(this.#file(bucketId));
    if (bytes === null) return [];
    return Buffer.from(bytes).toString().split('\n').filter(Boolean).map(pathOf);
  }

  async #write(bucketId: string, before: readonly string[], listed: ReadonlySet<string>): Promise<void> {
    if (before.length === listed.size && before.every((path) => listed.has(path))) return;
    const text = [...listed].map((path) => `${urlOf(path)}\n`).join('');
    await this.#options.fileSystem.replace(this.#file(bucketId), Buffer.from(text));
  }

  #file(bucketId: string): string {
    const { path, jobId } = this.#options;
    return [path, MANIFEST_FOLDER, ...(bucketId === '' ? [] : [bucketId]), manifestName(jobId)].join('/');
  }
}

/** Hadoop takes a line for a path of its own, so nothing is encoded. */
function urlOf(path: string): string {
  return isS3Location(path) ? path : `file://${path}`;
}

function pathOf(url: string): string {
  return url.startsWith('file://') ? url.slice('file://'.length) : url;
}
