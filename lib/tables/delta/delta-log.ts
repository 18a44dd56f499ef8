/**
 * The log of a Delta table: `<table>/_delta_log/00000000000000000042.json`, one entry a version, each made by whoever is
 * first. Nothing but an entry that was not there before is ever written, so other writers may use the table as well.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { FileStatus, FileSystem } from '../../storage/file-system.ts';
import { type Action, decodeActions, encodeActions } from './actions.ts';
import { decodeCheckpointFile, encodeCheckpointFile } from './checkpoint-file.ts';
import { DeltaState } from './state.ts';

const LOG_FOLDER = '_delta_log';
/** Other writers that may come first before a commit is given up. */
const MAX_ATTEMPTS = 100;
const DAY_MS = 86_400_000;
/** Delta's defaults: `delta.deletedFileRetentionDuration`, `delta.logRetentionDuration`. */
const TOMBSTONES_MS = 7 * DAY_MS;
const LOG_MS = 30 * DAY_MS;
/** Temporary files of writers that are older than this are nobody's. */
const TEMPORARY_MS = DAY_MS;

export interface DeltaLogOptions {
  readonly fileSystem: FileSystem;
  /** Of the table. */
  readonly path: string;
  readonly clock: Clock;
  /** Versions after which the state is written into a checkpoint. */
  readonly checkpointEvery: number;
}

export class DeltaLog {
  readonly #options: DeltaLogOptions;
  readonly #folder: string;
  readonly state = new DeltaState();
  #checkpointVersion = -1;

  private constructor(options: DeltaLogOptions) {
    this.#options = options;
    this.#folder = `${options.path}/${LOG_FOLDER}`;
  }

  /** Reads what there is. @throws SluiceError TABLE_UNSUITABLE */
  static async open(options: DeltaLogOptions): Promise<DeltaLog> {
    const log = new DeltaLog(options);
    await log.#load();
    return log;
  }

  /**
   * Writes an entry on top of the newest one.
   * @param decide actions for a state of the table, null where there is nothing to do; asked again where another writer
   *   has changed the table meanwhile
   * @throws SluiceError TABLE_BUSY
   */
  async commit(decide: (state: DeltaState) => readonly Action[] | null): Promise<void> {
    const { fileSystem } = this.#options;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const actions = decide(this.state);
      if (actions === null) return;
      const version = this.state.version + 1;
      failpoint('table.entry.before');
      if (await fileSystem.createExclusive(this.#entry(version), encodeActions(actions))) {
        failpoint('table.entry.after');
        this.state.apply(actions);
        this.state.version = version;
        await this.#checkpointIfDue();
        return;
      }
      // Perhaps ourselves: a request that was repeated because its answer was lost.
      await this.#catchUp();
      if (this.state.version < version) {
        throw new SluiceError('TABLE_BUSY', `${this.#entry(version)} is there, and cannot be read`, {
          retryable: true,
        });
      }
    }
    throw new SluiceError(
      'TABLE_BUSY',
      `other writers were quicker ${MAX_ATTEMPTS} times at ${this.#folder}`,
      {
        hint: 'the parts are visible and safe; the next start brings the table up to date',
        retryable: true,
      },
    );
  }

  async #load(): Promise<void> {
    const { fileSystem } = this.#options;
    const names = (await this.#list()).map(({ path }) => path.slice(this.#folder.length + 1));
    const checkpoint = newestCheckpoint(names);
    if (checkpoint !== null) {
      for (const name of checkpoint.names) {
        const path = `${this.#folder}/${name}`;
        const bytes = await fileSystem.readFile(path);
        if (bytes === null) throw gap(path);
        this.state.apply(await decodeCheckpointFile(bytes, path));
      }
      this.state.version = checkpoint.version;
      this.#checkpointVersion = checkpoint.version;
    }
    await this.#catchUp();
    const newest = names.reduce((most, name) => Math.max(most, versionOf(name)), -1);
    if (newest > this.state.version) throw gap(this.#entry(this.state.version + 1));
  }

  /** Applies entries behind the newest one that is known. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const path = this.#entry(this.state.version + 1);
      const bytes = await this.#options.fileSystem.readFile(path);
      if (bytes === null) return;
      this.state.apply(decodeActions(bytes, path));
      this.state.version++;
    }
  }

  async #checkpointIfDue(): Promise<void> {
    const { fileSystem, clock, checkpointEvery } = this.#options;
    const { version } = this.state;
    if (version - this.#checkpointVersion < checkpointEvery) return;
    this.state.expire(clock.now() - TOMBSTONES_MS);
    const bytes = encodeCheckpointFile(this.state);
    failpoint('table.checkpoint.before');
    await fileSystem.createExclusive(`${this.#folder}/${digits(version)}.checkpoint.parquet`, bytes);
    failpoint('table.checkpoint.after');
    this.#checkpointVersion = version;
    const { files, tombstones, transactions } = this.state;
    const hint = {
      version,
      size: files.size + tombstones.size + transactions.size + 2,
      sizeInBytes: bytes.length,
      numOfAddFiles: files.size,
    };
    await fileSystem.replace(`${this.#folder}/_last_checkpoint`, Buffer.from(JSON.stringify(hint)));
    await this.#removeOld();
  }

  /** Entries that no version of the last 30 days needs, and what dead writers left. */
  async #removeOld(): Promise<void> {
    const { fileSystem, clock } = this.#options;
    const now = clock.now();
    const ageMs = ({ modifiedNs }: FileStatus) => now - Number(modifiedNs / 1_000_000n);
    const files = (await this.#list()).map((file) => ({
      ...file,
      name: file.path.slice(this.#folder.length + 1),
      ageMs: ageMs(file),
    }));
    const old = files.filter((file) => file.ageMs > LOG_MS).map(({ name }) => name);
    const kept = newestCheckpoint(old)?.version ?? -1;
    for (const { path, name, ageMs } of files) {
      const isStale = versionOf(name) !== -1 && versionOf(name) < kept;
      const isTemporary = /^\..+\.tmp\.[0-9a-f]+$/.test(name) && ageMs > TEMPORARY_MS;
      if (isStale || isTemporary) await fileSystem.remove(path);
    }
  }

  async #list(): Promise<FileStatus[]> {
    const { fileSystem } = this.#options;
    if ((await fileSystem.stat(this.#folder)) === null) return [];
    const found: FileStatus[] = [];
    const options = { enterFolder: () => false, wantFile: () => true, topOnly: true };
    for await (const files of fileSystem.list(this.#folder, options)) found.push(...files);
    return found;
  }

  #entry(version: number): string {
    return `${this.#folder}/${digits(version)}.json`;
  }
}

function digits(version: number): string {
  return String(version).padStart(20, '0');
}

/** -1 for a name that is no entry or checkpoint. */
function versionOf(name: string): number {
  const match = /^(\d{20})\.(?:json|checkpoint(?:\.\d{10}\.\d{10})?\.parquet)$/.exec(name);
  return match === null ? -1 : Number(match[1]);
}

/** The newest checkpoint of which all files are there; writers of before may have cut one in several. */
function newestCheckpoint(names: readonly string[]): { version: number; names: string[] } | null {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const match = /^(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/.exec(name);
    if (match === null) continue;
    const key = `${match[1]}.${match[2] ?? ''}`;
    found.set(key, [...(found.get(key) ?? []), name]);
  }
  const whole = [...found].filter(([key, parts]) => parts.length === Number(key.split('.')[1] || 1)).sort();
  const newest = whole.at(-1);
  return newest === undefined ? null : { version: Number(newest[0].split('.')[0]), names: newest[1].sort() };
}

function gap(path: string): SluiceError {
  return new SluiceError('TABLE_UNSUITABLE', `the Delta log lacks ${path}`, {
    hint: 'entries are removed by hand or by a clean-up at most: restore it, or begin a new table',
  });
}
