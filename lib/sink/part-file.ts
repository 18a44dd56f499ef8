/**
 * One part file in the hands of its subtask: in progress, then closing, then pending. (Finished is what the committer
 * makes of it.) A part is always {bytes in its hidden file, rows behind them}; whatever of it a checkpoint has to keep
 * is one of the two.
 *
 *     in-progress --close--> closing --file durable--> pending
 */
import type { Batch } from '../core/batch.ts';
import type { BulkWriter } from '../core/encoder.ts';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { PartFileInfo } from '../core/rolling-policy.ts';
import type { OpenFile, PendingFile, RecoverableWriter, ResumePoint } from '../storage/recoverable-writer.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { Committable, OpenPart, TailReference } from './sink-state.ts';
import type { WriteQueue } from './write-queue.ts';

/** Pieces after which a part's tail is written anew in one: bounds what a restart has to read and a checkpoint to list. */
const MAX_TAILS = 8;
/** Checkpoints after which an idle part's tail is written anew, so that it does not keep an old segment for ever. */
const MAX_TAIL_AGE = 64;

/** What an open part takes besides its writer's buffers: this object, names, promises, an open file. Measured, about. */
const PART_BYTES = 2048;

/** What all parts of a subtask share. */
export interface PartStorage {
  readonly writer: RecoverableWriter;
  /** Folder of hidden files; null: beside the part. */
  readonly staging: string | null;
  readonly queue: WriteQueue;
  /** Takes back the memory of what was written. */
  readonly recycle?: (bytes: Uint8Array) => void;
  /** Whether there are so many parts that a handle must not stay open between two writes. */
  readonly crowded: () => boolean;
}

/** What is known of a part from the beginning, and never changes. */
export interface PartOrigin {
  readonly bucketId: string;
  readonly finalPath: string;
  readonly creationTimeMs: number;
  /** The newest checkpoint when it was created. */
  readonly sinceCheckpoint: number;
  /** When the time of its bucket is over; null where the bucket tells none. */
  readonly bucketEndMs: number | null;
}

type PartStage =
  | { readonly kind: 'in-progress'; readonly writer: BulkWriter }
  | { readonly kind: 'closing' }
  | { readonly kind: 'pending'; readonly file: PendingFile };

export class PartFile implements PartFileInfo {
  readonly bucketId: string;
  readonly finalPath: string;
  readonly creationTimeMs: number;
  readonly bucketEndMs: number | null;
  lastUpdateTimeMs: number;
  readonly sinceCheckpoint: number;
  rows = 0;
  readonly #storage: PartStorage;
  #stage: PartStage;
  #file: OpenFile | null = null;
  /** Whether anything was handed to the file, if only no bytes. */
  #begun = false;
  /** Bytes handed to the file, the queued ones included. */
  #flushedBytes = 0;
  /** Whether the file holds bytes behind the resume point. */
  #unsynced = false;
  /** Where the file can be continued; null while nothing of it is durable. */
  #resumePoint: ResumePoint | null = null;
  /** The part's writes, one after the other. Never rejects: the queue keeps failures. */
  #writes: Promise<void> = Promise.resolve();
  #tails: TailReference[] = [];
  /** Of the buffered rows, how many the tails hold. */
  #tailRows = 0;

  constructor(storage: PartStorage, origin: PartOrigin, writer: BulkWriter) {
    this.#storage = storage;
    this.bucketId = origin.bucketId;
    this.finalPath = origin.finalPath;
    this.creationTimeMs = origin.creationTimeMs;
    this.lastUpdateTimeMs = origin.creationTimeMs;
    this.sinceCheckpoint = origin.sinceCheckpoint;
    this.bucketEndMs = origin.bucketEndMs;
    this.#stage = { kind: 'in-progress', writer };
  }

  /** A part as a checkpoint left it: the file shortened to its resume point, `writer` holding the rows of the tails. */
  static async restore(
    storage: PartStorage,
    open: OpenPart,
    writer: BulkWriter,
    bucketEndMs: number | null = null,
  ): Promise<PartFile> {
    const { sinceCheckpoint = 0 } = open;
    const part = new PartFile(storage, { ...open, sinceCheckpoint, bucketEndMs }, writer);
    part.lastUpdateTimeMs = open.lastUpdateTimeMs;
    part.rows = open.rows;
    part.#tails = [...open.tails];
    part.#tailRows = writer.bufferedRows;
    if (open.file !== null) {
      part.#file = await storage.writer.recover(open.file);
      part.#resumePoint = open.file;
      part.#begun = true;
      part.#flushedBytes = open.file.lengthBytes;
    }
    return part;
  }

  get sizeBytes(): number {
    return this.#flushedBytes + (this.#stage.kind === 'in-progress' ? this.#stage.writer.estimatedBytes : 0);
  }

  /** What is buffered for the next group. */
  get bufferedBytes(): number {
    return this.#stage.kind === 'in-progress' ? this.#stage.writer.bufferedBytes : 0;
  }

  get memoryBytes(): number {
    return this.#stage.kind === 'in-progress' ? PART_BYTES + this.#stage.writer.memoryBytes : 0;
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number, nowMs: number): void {
    this.#open('append').append(batch, rows, from, to);
    this.rows += to - from;
    this.lastUpdateTimeMs = nowMs;
  }

  /** Sends what is buffered to the hidden file. */
  flush(): void {
    const writer = this.#open('flush');
    if (writer.bufferedRows === 0) return;
    this.#write(writer.flush());
    // A writer that cannot flush in the middle keeps its rows, and so their tails.
    if (writer.bufferedRows > 0) return;
    this.#tails = [];
    this.#tailRows = 0;
  }

  /** No more rows: the part becomes pending once its writes are done. Nothing is visible. */
  close(): void {
    const writer = this.#open('close');
    failpoint('part.close.before');
    const bytes = writer.finish();
    if (this.#begun) this.#closeBegun(bytes);
    else this.#closeWhole(bytes);
  }

  #closeBegun(bytes: Uint8Array): void {
    this.#write(bytes);
    this.#stage = { kind: 'closing' };
    this.#enqueue(0, async () => this.#becomePending(await (await this.#opened()).closeForCommit()));
  }

  /** All of the part is in these bytes: the storage has a shorter way for that. */
  #closeWhole(bytes: Uint8Array): void {
    const { writer, staging, queue, recycle } = this.#storage;
    this.#flushedBytes = bytes.length;
    this.#stage = { kind: 'closing' };
    void queue.addWhole(bytes.length, async () => {
      const file = await writer.writeWhole(this.finalPath, staging, bytes);
      recycle?.(bytes);
      this.#becomePending(file);
    });
  }

  #becomePending(file: PendingFile): void {
    this.#stage = { kind: 'pending', file };
    failpoint('part.close.after');
  }

  /**
   * Puts what is buffered and in no segment yet into `segment`, and queues the fsync of what is in the file.
   * `openPart` tells the resume point once the queue and the segment are done.
   */
  persist(segment: SegmentWriter, checkpointId: number): void {
    const writer = this.#open('persist');
    const old = this.#tails[0];
    if (
      this.#tails.length >= MAX_TAILS ||
      (old !== undefined && checkpointId - old.checkpointId > MAX_TAIL_AGE)
    ) {
      this.#tails = [];
      this.#tailRows = 0;
    }
    const rows = writer.bufferedRows - this.#tailRows;
    if (rows > 0) {
      this.#tails.push(segment.add(writer.saveRows(this.#tailRows), rows));
      this.#tailRows = writer.bufferedRows;
    }
    if (!this.#unsynced) return;
    this.#unsynced = false;
    this.#enqueue(0, async () => {
      const file = await this.#opened();
      this.#resumePoint = await file.persist();
      await this.#releaseIfCrowded();
    });
  }

  /** The part's state for the checkpoint whose `persist` was done before. */
  openPart(): OpenPart {
    const writer = this.#open('snapshot');
    return {
      bucketId: this.bucketId,
      finalPath: this.finalPath,
      creationTimeMs: this.creationTimeMs,
      sinceCheckpoint: this.sinceCheckpoint,
      lastUpdateTimeMs: this.lastUpdateTimeMs,
      rows: this.rows,
      file: this.#resumePoint,
      footer: writer.footer(),
      tails: [...this.#tails],
    };
  }

  /** What the checkpoint promises of a closed part. */
  committable(): Committable {
    if (this.#stage.kind !== 'pending') throw illegal('commit', this.#stage.kind, this.finalPath);
    return {
      bucketId: this.bucketId,
      file: this.#stage.file,
      rows: this.rows,
      creationTimeMs: this.creationTimeMs,
    };
  }

  /** Gives the file handle back; another write opens it again. */
  async release(): Promise<void> {
    await this.#file?.release();
  }

  #open(step: string): BulkWriter {
    if (this.#stage.kind !== 'in-progress') throw illegal(step, this.#stage.kind, this.finalPath);
    return this.#stage.writer;
  }

  #write(bytes: Uint8Array): void {
    this.#begun = true;
    this.#flushedBytes += bytes.length;
    this.#unsynced = true;
    this.#enqueue(bytes.length, async () => {
      const file = await this.#opened();
      await file.write(bytes);
      this.#storage.recycle?.(bytes);
      await this.#releaseIfCrowded();
    });
  }

  async #opened(): Promise<OpenFile> {
    this.#file ??= await this.#storage.writer.open(this.finalPath, this.#storage.staging);
    return this.#file;
  }

  /** A part that is closing needs its handle for the fsync that follows. */
  async #releaseIfCrowded(): Promise<void> {
    if (this.#stage.kind === 'in-progress' && this.#storage.crowded()) await this.release();
  }

  #enqueue(bytes: number, task: () => Promise<void>): void {
    const before = this.#writes;
    this.#writes = this.#storage.queue.add(bytes, async () => {
      await before;
      await task();
    });
  }
}

function illegal(step: string, stage: PartStage['kind'], finalPath: string): SluiceError {
  return new SluiceError('STEP_ILLEGAL', `${step} on ${finalPath}, which is ${stage}`);
}
