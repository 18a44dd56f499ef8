/**
 * The sink of one subtask: assigns rows to buckets, keeps one open part a bucket, rolls them by policy, holds all to one
 * memory budget, and says at a checkpoint what has to be kept. Flink: Buckets and Bucket.
 */
import type { Batch } from '../core/batch.ts';
import type { BucketContext } from '../core/bucket-assigner.ts';
import type { Schema } from '../core/data-type.ts';
import { failpoint } from '../core/failpoint.ts';
import { MEMORY_SHARES } from '../core/memory-shares.ts';
import type { PartFileInfo } from '../core/rolling-policy.ts';
import { type StageClock, UNTIMED } from '../core/stage-clock.ts';
import { LateRowCounter } from './late-rows.ts';
import { PartFile, type PartStorage } from './part-file.ts';
import { partName } from './part-name.ts';
import { PassedBuckets } from './passed-buckets.ts';
import { RowGroups, type RowsByBucket, type RowTimes, sameWatermark, watermarkAt } from './row-groups.ts';
import { SegmentReader, SegmentWriter } from './segment-writer.ts';
import type { LateRows, SinkConfig } from './sink-config.ts';
import type { SinkSnapshot, SinkState } from './sink-state.ts';
import { isDueWaiting, StagedRows } from './staged-rows.ts';
import { maxWaitingBytes, WriteQueue } from './write-queue.ts';

/** Rows written to a part before its policy is asked again, while nothing is known about their size. */
const FIRST_SLICE_ROWS = 1024;
/** Open parts beyond which file handles are given back after each write. */
const MAX_OPEN_HANDLES = 256;
/** When the budget is used up, the largest parts are flushed until so much of it is left in use. */
const BUDGET_LOW_MARK = 0.75;
/** At a checkpoint, a part that buffers this share of a full flush is flushed: cheaper than keeping its rows twice. */
const CHECKPOINT_FLUSH_SHARE = 0.25;

export class Buckets {
  readonly #config: SinkConfig;
  readonly #storage: PartStorage;
  readonly #queue: WriteQueue;
  readonly #groups = new RowGroups();
  readonly #staged: StagedRows;
  readonly #passed: PassedBuckets;
  readonly #partsBudgetBytes: number;
  readonly #late: LateRowCounter;
  readonly #stages: StageClock;
  /** Bounded by the memory budget: an open part takes its share even without rows. */
  readonly #open = new Map<string, PartFile>();
  /** Closed since the last snapshot. */
  #closed: PartFile[] = [];
  #nextCounter = 0;
  /** The last one that this sink has a snapshot in. */
  #checkpointId: number;
  #memoryBytes = 0;

  constructor(config: SinkConfig) {
    this.#config = config;
    this.#stages = config.stages ?? UNTIMED;
    this.#partsBudgetBytes = config.memoryBytes * MEMORY_SHARES.parts;
    this.#queue = new WriteQueue(maxWaitingBytes(config.memoryBytes, config.flushBytes));
    this.#staged = new StagedRows(config.memoryBytes * MEMORY_SHARES.staged, (id) => this.#endOf(id));
    this.#passed = new PassedBuckets(config.maxOutOfOrdernessMs ?? 0, config.flushBytes);
    this.#late = new LateRowCounter(config.late, (id) => this.#open.get(id)?.bucketEndMs ?? this.#endOf(id));
    this.#checkpointId = config.checkpointId;
    this.#storage = {
      writer: config.fileSystem.recoverableWriter,
      staging: config.staging,
      queue: this.#queue,
      recycle: (bytes) => config.format.recycle?.(bytes),
      crowded: () => this.#open.size > MAX_OPEN_HANDLES,
    };
  }

  /**
   * Continues what one or more subtasks of an earlier run left open. Where two of them have a part in one bucket, the
   * first stays open and the other is closed: it is published with the next checkpoint.
   */
  async restore(state: SinkState): Promise<void> {
    const { format, schema, fileSystem, segmentsFolder } = this.#config;
    this.#nextCounter = Math.max(this.#nextCounter, state.nextCounter);
    const segments = new SegmentReader(fileSystem, segmentsFolder);
    for (const open of state.openParts) {
      const writer = format.createWriter(schema, open.footer);
      for (const tail of open.tails) writer.restoreRows(await segments.read(tail));
      const part = await PartFile.restore(this.#storage, open, writer, this.#endOf(open.bucketId));
      if (this.#open.has(part.bucketId)) this.#close(part);
      else this.#adopt(part);
      await this.#holdBudget();
    }
  }

  /** Of the part files. */
  get schema(): Schema {
    return this.#config.schema;
  }

  /** What the names of its parts end with. */
  get suffix(): string {
    return this.#config.naming.suffix;
  }

  /** Memory held by open parts, rows that wait, and writes that wait. */
  get memoryBytes(): number {
    return this.#memoryBytes + this.#staged.memoryBytes + this.#queue.waitingBytes;
  }

  get openParts(): number {
    return this.#open.size;
  }

  /** Looks for the buckets of a batch, and writes nothing. @returns rows that are late @throws what the assigner throws */
  lateRows(batch: Batch, context: Omit<BucketContext, 'processingTimeMs'>): number[] {
    const processingTimeMs = this.#config.clock.now();
    const { codes, ids } = this.#config.assigner.assign(batch, { ...context, processingTimeMs });
    const late = ids.map((id) => this.#late.isLate(id, context.watermarkMs));
    const rows: number[] = [];
    if (late.includes(true))
      for (let row = 0; row < batch.length; row++) if (late[codes[row]!]) rows.push(row);
    return rows;
  }

  /** Writes a batch. When the promise settles, the batch's memory may be used again. */
  async write(batch: Batch, context: Omit<BucketContext, 'processingTimeMs'>): Promise<void> {
    if (batch.length === 0) return;
    const nowMs = this.#config.clock.now();
    const vector = this.#config.assigner.assign(batch, { ...context, processingTimeMs: nowMs });
    const before = this.#stages.enter('gather');
    const { watermarkMs, timestampsMs } = context;
    if (this.#staged.wants(batch, vector.ids.length)) {
      this.#staged.add(batch, vector, watermarkMs, nowMs);
      if (this.#staged.isFull(this.#stagedBudgetBytes)) await this.#unstage();
    } else {
      // Rows that come later must not overtake those that wait.
      await this.#unstage();
      const { codes, ids } = vector;
      const group = this.#groups.group(batch, codes, ids.length, [watermarkMs]);
      const times = { creationTimeMs: nowMs, lastUpdateTimeMs: nowMs };
      await this.#distribute({ ids, groups: [group], timesOf: () => times });
    }
    const passed = this.#passed.take(this.#open.values(), vector.ids, timestampsMs, batch.length);
    for (const part of passed) {
      this.#flush(part);
      await this.#settle();
    }
    await this.#holdBudget();
    this.#stages.enter(before);
  }

  /** Their share; more while open parts leave room, of which half: on the way to their parts, rows are there twice. */
  get #stagedBudgetBytes(): number {
    const { memoryBytes } = this.#config;
    const { parts, staged } = MEMORY_SHARES;
    return Math.max(memoryBytes * staged, (memoryBytes * (parts + staged) - this.#memoryBytes) / 2);
  }

  /** Sends the rows that wait to their buckets. @param closes whether each bucket's part is closed with them */
  async #unstage(closes = false): Promise<void> {
    const staged = this.#staged.take();
    if (staged === null) return;
    if (closes) await this.#distributeAndClose(staged);
    else await this.#distribute(staged);
    this.#staged.clear();
  }

  /** Waits only where the budget is used up: a batch may go to ten thousand buckets, each with buffers of its own. */
  async #distribute(rows: RowsByBucket): Promise<void> {
    for (let code = 0; code < rows.ids.length; code++) {
      this.#appendBucket(rows, code);
      if (this.#memoryBytes > this.#partsBudgetBytes || this.#queue.isFull) await this.#holdBudget();
    }
  }

  /** One part after the other, so that each leaves its buffers to the next; in the order of folders, which are synced together. */
  async #distributeAndClose(rows: RowsByBucket): Promise<void> {
    const { ids } = rows;
    const codes = [...ids.keys()].sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
    for (const code of codes) {
      this.#appendBucket(rows, code);
      const part = this.#open.get(ids[code]!);
      if (part !== undefined) this.#close(part);
      await this.#holdBudget();
    }
  }

  #appendBucket({ ids, groups, timesOf }: RowsByBucket, code: number): void {
    const id = ids[code]!;
    for (const group of groups) {
      let from = group.starts[code] ?? 0;
      const end = group.starts[code + 1] ?? from;
      while (from < end) {
        const to = sameWatermark(group, from, end);
        if (this.#late.takes(id, to - from, watermarkAt(group, from)))
          this.#append(id, group.batch, group.rows, from, to, timesOf(code));
        from = to;
      }
    }
  }

  #endOf(bucketId: string): number | null {
    return this.#config.bucketTimes?.(bucketId)?.endMs ?? null;
  }

  /** Since this was asked last. */
  takeLate(): LateRows {
    return this.#late.take();
  }

  #append(bucketId: string, batch: Batch, rows: Int32Array, from: number, to: number, times: RowTimes): void {
    const { policy, flushBytes } = this.#config;
    let createdMs = times.creationTimeMs;
    for (let at = from; at < to; ) {
      let part = this.#open.get(bucketId);
      if (part !== undefined && policy.shouldRollOnEvent(part)) {
        this.#close(part);
        part = undefined;
        createdMs = times.lastUpdateTimeMs;
      }
      part ??= this.#create(bucketId, createdMs);
      const room = part.rows === 0 ? FIRST_SLICE_ROWS : Number.POSITIVE_INFINITY;
      const end = Math.min(to, at + Math.max(1, Math.min(room, policy.rowsUntilRoll?.(part) ?? room)));
      const before = part.memoryBytes;
      part.append(batch, rows, at, end, times.lastUpdateTimeMs);
      this.#memoryBytes += part.memoryBytes - before;
      if (part.bufferedBytes >= flushBytes) this.#flush(part);
      at = end;
    }
  }

  #create(bucketId: string, nowMs: number): PartFile {
    const { path, naming, subtask, format, schema } = this.#config;
    const name = partName(naming, subtask, this.#nextCounter++);
    const finalPath = bucketId === '' ? `${path}/${name}` : `${path}/${bucketId}/${name}`;
    const writer = format.createWriter(schema, null);
    const part = new PartFile(
      this.#storage,
      {
        bucketId,
        finalPath,
        creationTimeMs: nowMs,
        sinceCheckpoint: this.#checkpointId,
        bucketEndMs: this.#endOf(bucketId),
      },
      writer,
    );
    this.#adopt(part);
    return part;
  }

  #adopt(part: PartFile): void {
    this.#open.set(part.bucketId, part);
    this.#passed.watch(part);
    this.#memoryBytes += part.memoryBytes;
  }

  #close(part: PartFile): void {
    if (this.#open.get(part.bucketId) === part) {
      this.#open.delete(part.bucketId);
      this.#memoryBytes -= part.memoryBytes;
    }
    const before = this.#stages.enter('encode');
    part.close();
    this.#stages.enter(before);
    this.#closed.push(part);
  }

  #flush(part: PartFile): void {
    const stage = this.#stages.enter('encode');
    const before = part.memoryBytes;
    part.flush();
    this.#memoryBytes += part.memoryBytes - before;
    this.#stages.enter(stage);
  }

  /** Waits while too much waits for the disk. */
  async #settle(): Promise<void> {
    const before = this.#stages.enter('write');
    await this.#queue.settle();
    this.#stages.enter(before);
  }

  /**
   * Once the budget is used up, flushes the parts that hold most, and waits for the disk in between. Where that is not
   * enough, since even a part without rows has its place in memory and its row groups' metadata, closes those that hold
   * most: parts become smaller than asked for, memory does not become larger.
   */
  async #holdBudget(): Promise<void> {
    const budget = this.#partsBudgetBytes;
    if (this.#memoryBytes <= budget) return this.#settle();
    const goal = budget * BUDGET_LOW_MARK;
    for (const part of this.#largestFirst()) {
      if (this.#memoryBytes <= goal) return;
      this.#flush(part);
      await this.#settle();
    }
    for (const part of this.#largestFirst()) {
      if (this.#memoryBytes <= goal) return;
      this.#close(part);
      await this.#settle();
    }
  }

  #largestFirst(): PartFile[] {
    return [...this.#open.values()].sort((a, b) => b.memoryBytes - a.memoryBytes);
  }

  /** Part names use counters from here on. */
  get nextCounter(): number {
    return this.#nextCounter;
  }

  /** Writes the rows that wait, and closes every open part: the next snapshot promises them. */
  async closeAll(): Promise<void> {
    await this.#unstage(true);
    await this.#closeThose(() => true);
  }

  /** Closes open parts, no faster than the disk takes them. @throws what a write failed with, though none is closed */
  async #closeThose(isDue: (part: PartFile) => boolean): Promise<void> {
    for (const part of [...this.#open.values()].filter(isDue)) {
      this.#close(part);
      await this.#settle();
    }
    await this.#settle();
  }

  /** {@link closeAll} of a sink that nothing was written to. */
  closeRestored(): void {
    for (const part of [...this.#open.values()]) this.#close(part);
  }

  /** The timer: closes parts whose policy says so, whether or not anything arrives. */
  async onProcessingTime(): Promise<void> {
    const { policy, clock } = this.#config;
    const nowMs = clock.now();
    await this.#closeDue((part) => policy.shouldRollOnProcessingTime(part, nowMs));
  }

  /** Event time has come so far: closes parts whose policy says so. */
  async onWatermark(watermarkMs: number): Promise<void> {
    const { policy } = this.#config;
    if (watermarkMs === Number.NEGATIVE_INFINITY || policy.shouldRollOnWatermark === undefined) return;
    await this.#closeDue((part) => policy.shouldRollOnWatermark?.(part, watermarkMs) ?? false);
  }

  /** Rows that wait go to their parts only where one of those is due, with or without them. */
  async #closeDue(isDue: (part: PartFileInfo) => boolean): Promise<void> {
    const { parts } = this.#staged;
    if (parts.some((part) => isDueWaiting(this.#open.get(part.bucketId), part, isDue))) await this.#unstage();
    await this.#closeThose(isDue);
  }

  /**
   * Makes everything written so far durable and tells what a checkpoint has to keep of it.
   * @param closeAll whether no part stays open: at the end of the input
   * @param isDue further parts that are closed: their partition is announced with this checkpoint
   */
  async snapshot(
    checkpointId: number,
    closeAll: boolean,
    isDue: (part: PartFileInfo) => boolean = () => false,
  ): Promise<SinkSnapshot> {
    const {
      policy,
      flushBytes,
      subtask,
      runId,
      fileSystem,
      segmentsFolder,
      segmentLabel = '',
    } = this.#config;
    const keepOpen = !closeAll && this.#storage.writer.supportsResume;
    await this.#unstage(!keepOpen);
    const segment = new SegmentWriter(`${checkpointId}-${subtask}${segmentLabel}-${runId}`, checkpointId);
    for (const part of [...this.#open.values()]) {
      if (!keepOpen || isDue(part) || policy.shouldRollOnCheckpoint(part)) this.#close(part);
      else {
        if (part.bufferedBytes >= flushBytes * CHECKPOINT_FLUSH_SHARE) this.#flush(part);
        part.persist(segment, checkpointId);
        if (segment.isFull) await segment.finish(fileSystem, segmentsFolder);
      }
      await this.#settle();
    }
    await this.#queue.all();
    await segment.finish(fileSystem, segmentsFolder);
    failpoint('sink.snapshot.after');
    const committables = this.#closed.map((part) => part.committable());
    this.#closed = [];
    this.#checkpointId = checkpointId;
    return {
      state: {
        nextCounter: this.#nextCounter,
        openParts: [...this.#open.values()].map((part) => part.openPart()),
        ...(this.#open.size === 0 ? {} : { schema: this.#config.schema }),
      },
      committables,
    };
  }

  /** Lets go of file handles once the writes under way are done. What is not in a checkpoint stays hidden, or nowhere. */
  async close(): Promise<void> {
    await this.#queue.idle();
    for (const part of [...this.#open.values(), ...this.#closed]) await part.release();
  }
}
