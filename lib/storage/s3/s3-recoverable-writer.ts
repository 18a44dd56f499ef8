/** RecoverableWriter of object stores: see s3-open-file.ts for how a file lies there, publish.ts for its commit. */
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import { joinLocation, nameOf, parentLocation, parseS3Location } from '../../core/location.ts';
import type { S3Spec } from '../../core/specs.ts';
import { forEachConcurrently } from '../for-each-concurrently.ts';
import type {
  OpenFile,
  PendingFile,
  RecoverableWriter,
  ResumePoint,
  UploadState,
} from '../recoverable-writer.ts';
import { WholeFiles } from '../whole-files.ts';
import { bare } from './etag.ts';
import { hiddenRun, listPieces, pieceWriter, removeObjects } from './hidden-objects.ts';
import type { ObjectStore } from './object-store.ts';
import { publish } from './publish.ts';
import { pieceMissing } from './read-piece.ts';
import type { RetryPolicy } from './retrying-object-store.ts';
import { MAX_PART_NUMBER, type OpenFileContext, S3OpenFile } from './s3-open-file.ts';
import type { SpoolFolder } from './spool.ts';
import { UploadSlots } from './upload-slots.ts';

/** Files published at once. Those without an upload are in memory meanwhile, each smaller than a part of one. */
const COMMIT_CONCURRENCY = 8;
/**
 * Part numbers that a resumed upload leaves out behind the last one. A request of the process before may still be on
 * its way, and one with a number that is used again would replace what the new process uploaded.
 */
const NUMBER_GAP = 100;

export interface S3WriterOptions {
  readonly store: ObjectStore;
  readonly spool: SpoolFolder;
  readonly retry: RetryPolicy;
  readonly spec: S3Spec;
  readonly runId: string;
}

export class S3RecoverableWriter implements RecoverableWriter {
  readonly supportsResume = true;
  readonly #options: S3WriterOptions;
  readonly #context: OpenFileContext;
  readonly #whole = new WholeFiles();

  constructor(options: S3WriterOptions) {
    const { store, retry, spec, runId } = options;
    this.#options = options;
    const slots = new UploadSlots(spec.concurrentUploads, spec.partBytes);
    this.#context = { store, retry, runId, partBytes: spec.partBytes, slots };
  }

  /** Nothing is written yet: an empty file is an object only once it is committed. */
  async open(finalPath: string, hiddenFolder: string | null): Promise<OpenFile> {
    const name = nameOf(finalPath);
    const folder = hiddenFolder ?? parentLocation(finalPath);
    return new S3OpenFile(this.#context, this.#options.spool.create(), {
      finalPath,
      hiddenPath: joinLocation(folder, `.${name}.inprogress.${this.#options.runId}`),
      uploadId: null,
      parts: [],
      nextPartNumber: 1,
      pieces: [],
      superseded: [],
    });
  }

  writeWhole(finalPath: string, hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile> {
    return this.#whole.write(() => this.open(finalPath, hiddenFolder), bytes);
  }

  async recover(point: ResumePoint): Promise<OpenFile> {
    const { store, spool } = this.#options;
    const pieces = point.pieces ?? [];
    const there = await listPieces(store, point.hiddenPath);
    for (const { path, lengthBytes } of pieces) {
      const size = there.get(path);
      if (size !== lengthBytes)
        throw pieceMissing(
          point.hiddenPath,
          size === undefined ? `${path} is gone` : `${path} has ${size} bytes instead of ${lengthBytes}`,
        );
      there.delete(path);
    }
    const highest = point.upload === undefined ? 0 : await this.#proveUpload(point, point.upload);
    if (
      point.upload === undefined &&
      pieces.length === 0 &&
      (await store.head(parseS3Location(point.finalPath)))
    )
      throw pieceMissing(point.hiddenPath, 'it was published');
    // Written behind the resume point by a run that was fenced off before this one began. Anything else may belong to
    // one that fences this one off right now, and goes only with the commit, which proves that none did.
    const fenced = new Set([hiddenRun(point.hiddenPath), ...pieces.map(({ path }) => pieceWriter(path))]);
    const [stale, unknown] = [true, false].map((wanted) =>
      [...there.keys()].filter((path) => fenced.has(pieceWriter(path)) === wanted),
    );
    await removeObjects(store, stale ?? []);
    return new S3OpenFile(this.#context, spool.create(), {
      finalPath: point.finalPath,
      hiddenPath: point.hiddenPath,
      uploadId: point.upload?.id ?? null,
      parts: point.upload?.parts ?? [],
      nextPartNumber: point.upload === undefined ? 1 : highest + gapBehind(highest),
      pieces,
      superseded: unknown ?? [],
    });
  }

  async commit(files: readonly PendingFile[]): Promise<void> {
    const { store, retry, spec } = this.#options;
    await forEachConcurrently(files, COMMIT_CONCURRENCY, (file) => publish(file, { store, retry, spec }));
    await removeObjects(
      store,
      files.flatMap((file) => [...(file.pieces ?? []).map(({ path }) => path), ...(file.superseded ?? [])]),
    );
    failpoint('s3.commit.after');
  }

  async cleanup(point: ResumePoint): Promise<boolean> {
    const { store } = this.#options;
    const pieces = await listPieces(store, point.hiddenPath);
    await removeObjects(store, [...pieces.keys()]);
    if (point.upload === undefined) return pieces.size > 0;
    const ref = parseS3Location(point.finalPath);
    const open = (await store.listParts(ref, point.upload.id)) !== null;
    if (open) await store.abortUpload(ref, point.upload.id);
    return open || pieces.size > 0;
  }

  /** @returns the highest part number there is */
  async #proveUpload(point: ResumePoint, { id, parts }: UploadState): Promise<number> {
    const listed = await this.#options.store.listParts(parseS3Location(point.finalPath), id);
    if (listed === null) throw pieceMissing(point.hiddenPath, 'its upload is gone');
    const there = new Map(listed.map((part) => [part.number, bare(part.etag)]));
    const missing = parts.find((part) => there.get(part.number) !== bare(part.etag));
    if (missing !== undefined)
      throw pieceMissing(point.hiddenPath, `piece ${missing.number} of its upload is gone or another one`);
    return Math.max(0, ...there.keys());
  }
}

/** Smaller towards the end of the numbers there are, so that a part which is resumed often does not run out of them. */
function gapBehind(highest: number): number {
  if (highest >= MAX_PART_NUMBER)
    throw new SluiceError('STORAGE_FAILED', 'an upload has no part numbers left', {
      hint: 'raise s3.part_bytes, or close parts earlier (sink.rolling)',
    });
  return 1 + Math.min(NUMBER_GAP, Math.floor((MAX_PART_NUMBER - highest) / 8));
}
