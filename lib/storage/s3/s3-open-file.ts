/**
 * A file on its way into an object store. Full pieces are uploaded as the parts of one multipart upload as soon as they
 * are there; what is behind them waits in a spool file and becomes, at a persist, a small hidden object:
 *
 *     [ part 1 ][ part 2 ] ...   of the upload: no object, invisible, all of one size
 *                          [ piece ][ piece ]   hidden objects: what persists made durable since the last full part
 *                                            [ spool ]   local, lost with the process
 *
 * A file that ends before its first full part never begins an upload: it is put whole at the commit.
 */
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import { parseS3Location } from '../../core/location.ts';
import type {
  OpenFile,
  PendingFile,
  PieceState,
  ResumePoint,
  UploadedPartState,
} from '../recoverable-writer.ts';
import { partMetadata, piecePath, removeObjects } from './hidden-objects.ts';
import type { ObjectStore } from './object-store.ts';
import { readPiece } from './read-piece.ts';
import type { RetryPolicy } from './retrying-object-store.ts';
import type { Spool } from './spool.ts';
import { uploadGone } from './upload-gone.ts';
import type { UploadSlots } from './upload-slots.ts';

/** Pieces after which the next one replaces them all: bounds what a commit has to read and a checkpoint to list. */
const MAX_PIECES = 8;
/** S3's own limit of an upload. */
export const MAX_PART_NUMBER = 10_000;

export interface OpenFileContext {
  readonly store: ObjectStore;
  readonly slots: UploadSlots;
  readonly retry: RetryPolicy;
  readonly runId: string;
  readonly partBytes: number;
}

/** What a file starts from: nothing, or a resume point. */
export interface OpenFileStart {
  readonly finalPath: string;
  readonly hiddenPath: string;
  readonly uploadId: string | null;
  readonly parts: readonly UploadedPartState[];
  readonly nextPartNumber: number;
  readonly pieces: readonly PieceState[];
  /** Hidden objects that go once the file is visible. */
  readonly superseded: readonly string[];
}

const sumOf = (pieces: readonly { readonly lengthBytes: number }[]) =>
  pieces.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);

export class S3OpenFile implements OpenFile {
  readonly finalPath: string;
  readonly #hiddenPath: string;
  readonly #context: OpenFileContext;
  readonly #partBytes: number;
  readonly #spool: Spool;
  #stage: 'open' | 'closed' | 'discarded' = 'open';
  #uploadId: string | null;
  /** Uploaded or being uploaded, in order. */
  readonly #parts: (UploadedPartState | Promise<UploadedPartState>)[];
  /** Of all of them. */
  #partsBytes: number;
  #nextPartNumber: number;
  /** They cover [partsBytes, coveredBytes). */
  #pieces: PieceState[];
  #coveredBytes: number;
  /** The spool holds [spoolFrom, lengthBytes). */
  #spoolFrom: number;
  #nextPiece = 0;
  readonly #superseded: string[];
  #failure: { readonly error: unknown } | null = null;

  constructor(context: OpenFileContext, spool: Spool, start: OpenFileStart) {
    this.finalPath = start.finalPath;
    this.#hiddenPath = start.hiddenPath;
    this.#context = context;
    this.#spool = spool;
    this.#uploadId = start.uploadId;
    this.#parts = [...start.parts];
    // Some servers want all parts of an upload to be of one size: the one it began with.
    this.#partBytes = start.parts[0]?.lengthBytes ?? context.partBytes;
    this.#nextPartNumber = start.nextPartNumber;
    this.#partsBytes = sumOf(start.parts);
    this.#pieces = [...start.pieces];
    this.#coveredBytes = this.#partsBytes + sumOf(start.pieces);
    this.#spoolFrom = this.#coveredBytes;
    this.#superseded = [...start.superseded];
  }

  get lengthBytes(): number {
    return this.#spoolFrom + this.#spool.lengthBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#prove('write');
    let at = 0;
    while (this.lengthBytes - this.#partsBytes + (bytes.length - at) >= this.#partBytes) {
      const rest = this.lengthBytes - this.#partsBytes;
      // None where a run with larger parts has left more than a part of this one's behind.
      const wanted = Math.max(0, this.#partBytes - rest);
      await this.#uploadNext(bytes.subarray(at, at + wanted), rest + wanted);
      at += wanted;
    }
    await this.#spool.append(at === 0 ? bytes : bytes.subarray(at));
    failpoint('s3.write.after');
  }

  async persist(): Promise<ResumePoint> {
    this.#prove('persist');
    const parts = await this.#uploaded();
    await this.#coverRest();
    failpoint('s3.persist.after');
    return {
      hiddenPath: this.#hiddenPath,
      finalPath: this.finalPath,
      lengthBytes: this.lengthBytes,
      ...(this.#uploadId === null ? {} : { upload: { id: this.#uploadId, parts } }),
      pieces: [...this.#pieces],
    };
  }

  async closeForCommit(): Promise<PendingFile> {
    this.#prove('closeForCommit');
    const { lengthBytes } = this;
    const rest = lengthBytes - this.#partsBytes;
    if (this.#partsBytes === 0) await this.#coverRest();
    else if (rest > 0) await this.#uploadNext(new Uint8Array(0), rest);
    const parts = await this.#uploaded();
    this.#stage = 'closed';
    await this.#spool.remove();
    this.#spoolFrom = lengthBytes;
    failpoint('s3.close.after');
    return {
      hiddenPath: this.#hiddenPath,
      finalPath: this.finalPath,
      lengthBytes,
      ...(this.#uploadId === null || parts.length === 0 ? {} : { upload: { id: this.#uploadId, parts } }),
      pieces: [...this.#pieces],
      superseded: [...this.#superseded],
    };
  }

  async discard(): Promise<void> {
    if (this.#stage === 'discarded') return;
    this.#stage = 'discarded';
    await Promise.allSettled(this.#parts);
    await this.#spool.remove();
    const { store } = this.#context;
    if (this.#uploadId !== null) await store.abortUpload(parseS3Location(this.finalPath), this.#uploadId);
    await removeObjects(store, [...this.#superseded, ...this.#pieces.map((piece) => piece.path)]);
  }

  async release(): Promise<void> {
    // Whoever releases must not find the handle busy: uploads read the spool only before they begin.
    await this.#spool.release();
  }

  #prove(step: string): void {
    if (this.#stage !== 'open')
      throw new SluiceError('STEP_ILLEGAL', `${step} on ${this.finalPath}, which is ${this.#stage}`);
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Waits for the uploads under way. */
  async #uploaded(): Promise<UploadedPartState[]> {
    const parts = await Promise.all(this.#parts);
    this.#parts.splice(0, parts.length, ...parts);
    return parts;
  }

  /**
   * Sends a part of the upload: what is behind the parts so far, and `more`, `length` bytes in all. Returns once its bytes are copied; the
   * upload itself goes on.
   */
  async #uploadNext(more: Uint8Array, length: number): Promise<void> {
    const { store, slots } = this.#context;
    const ref = parseS3Location(this.finalPath);
    const number = this.#nextPartNumber;
    if (number > MAX_PART_NUMBER) {
      throw new SluiceError(
        'STORAGE_FAILED',
        `${this.finalPath} needs more than ${MAX_PART_NUMBER} parts of an upload`,
        {
          hint: 'raise s3.part_bytes, or close parts earlier (sink.rolling)',
        },
      );
    }
    this.#uploadId ??= await store.createUpload(ref, partMetadata(this.#hiddenPath));
    failpoint('s3.upload.created');
    const uploadId = this.#uploadId;
    const slot = await slots.take();
    let bytes: Uint8Array;
    try {
      // A resumed upload may have begun with parts of another size than this run's.
      bytes = length <= slot.buffer.length ? slot.buffer.subarray(0, length) : new Uint8Array(length);
      await this.#readRest(bytes.subarray(0, length - more.length));
      bytes.set(more, length - more.length);
    } catch (error) {
      slot.release();
      throw error;
    }
    const upload = store
      .uploadPart(ref, uploadId, number, bytes)
      .catch(async (thrown: unknown) => {
        // A server may close the connection on the bytes of a piece before it says that nobody waits for it.
        const { retryable } = SluiceError.from(thrown);
        throw retryable && (await store.listParts(ref, uploadId)) === null ? uploadGone(ref) : thrown;
      })
      .then((part) => ({ ...part, lengthBytes: length }))
      .finally(() => slot.release());
    upload.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#parts.push(upload);
    this.#nextPartNumber = number + 1;
    this.#partsBytes += length;
    this.#superseded.push(...this.#pieces.map((piece) => piece.path));
    this.#pieces = [];
    this.#coveredBytes = this.#partsBytes;
    this.#spoolFrom = this.#partsBytes;
    await this.#spool.clear();
  }

  /** The first bytes behind the parts: from pieces where this process never had them, from the spool. */
  async #readRest(into: Uint8Array): Promise<void> {
    const { store, retry } = this.#context;
    let at = 0;
    for (const piece of this.#pieces) {
      if (this.#partsBytes + at >= this.#spoolFrom) break;
      into.set(await readPiece(store, retry, piece, this.#hiddenPath), at);
      at += piece.lengthBytes;
    }
    await this.#spool.read(this.#partsBytes + at - this.#spoolFrom, into.subarray(at));
  }

  /** Makes what is behind the parts durable in hidden objects. */
  async #coverRest(): Promise<void> {
    const { store, runId, slots } = this.#context;
    const end = this.lengthBytes;
    if (this.#coveredBytes === end) return;
    const anew = this.#pieces.length >= MAX_PIECES;
    const from = anew ? this.#partsBytes : this.#coveredBytes;
    const slot = await slots.take();
    try {
      const length = end - from;
      const bytes = length <= slot.buffer.length ? slot.buffer.subarray(0, length) : new Uint8Array(length);
      if (anew) await this.#readRest(bytes);
      else await this.#spool.read(from - this.#spoolFrom, bytes);
      const piece = { path: piecePath(this.#hiddenPath, runId, this.#nextPiece++), lengthBytes: length };
      await store.put(parseS3Location(piece.path), bytes, { ifAbsent: false, metadata: {}, final: false });
      if (anew) this.#superseded.push(...this.#pieces.map(({ path }) => path));
      this.#pieces = anew ? [piece] : [...this.#pieces, piece];
      this.#coveredBytes = end;
    } finally {
      slot.release();
    }
  }
}
