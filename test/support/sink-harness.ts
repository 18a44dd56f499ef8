/**
 * The sink of one subtask over a real folder, driven step by step: {write, tick, snapshot, notify, crash, restore}.
 * Records are strings `bucket:text`; a row's bytes are `text` and a line feed.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Committer } from '../../lib/commit/committer.ts';
import { Batch } from '../../lib/core/batch.ts';
import type { BucketAssigner, BucketVector } from '../../lib/core/bucket-assigner.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkFormat, RowFormat } from '../../lib/core/encoder.ts';
import { type Ids, randomIds } from '../../lib/core/ids.ts';
import type { PartFileInfo, RollingPolicy } from '../../lib/core/rolling-policy.ts';
import { columnsOf } from '../../lib/core/values.ts';
import { Buckets } from '../../lib/sink/buckets.ts';
import { rowPartFormat } from '../../lib/sink/row-part-writer.ts';
import type { SinkConfig } from '../../lib/sink/sink-config.ts';
import type { Committable, SinkState } from '../../lib/sink/sink-state.ts';
import type { FileSystem } from '../../lib/storage/file-system.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { ManualClock } from './manual-clock.ts';

export const neverRoll: RollingPolicy = {
  shouldRollOnEvent: () => false,
  shouldRollOnCheckpoint: () => false,
  shouldRollOnProcessingTime: () => false,
};

export function policy(overrides: Partial<RollingPolicy>): RollingPolicy {
  return { ...neverRoll, ...overrides };
}

/** Flink's default policy in its own words, for tests that are about the sink and not about our policies. */
export function sizeAndTime(limits: { size?: number; age?: number; inactivity?: number }): RollingPolicy {
  return policy({
    shouldRollOnEvent: (part) => part.sizeBytes > (limits.size ?? Number.POSITIVE_INFINITY),
    shouldRollOnCheckpoint: (part) => part.sizeBytes > (limits.size ?? Number.POSITIVE_INFINITY),
    shouldRollOnProcessingTime: (part: PartFileInfo, nowMs) =>
      nowMs - part.creationTimeMs >= (limits.age ?? Number.POSITIVE_INFINITY) ||
      nowMs - part.lastUpdateTimeMs >= (limits.inactivity ?? Number.POSITIVE_INFINITY),
  });
}

/** `bucket:text` goes to bucket `bucket`. */
const byPrefix: BucketAssigner = {
  partitionColumns: [],
  assign(batch): BucketVector {
    const ids: string[] = [];
    const codes = new Int32Array(batch.length);
    for (let row = 0; row < batch.length; row++) {
      const id = String(batch.record(row)).split(':')[0]!;
      if (!ids.includes(id)) ids.push(id);
      codes[row] = ids.indexOf(id);
    }
    return { codes, ids };
  },
};

const textRows: RowFormat = {
  type: 'text',
  createEncoder: () => ({
    extension: '.txt',
    header: null,
    encode(batch, rows, from, to, out) {
      for (let i = from; i < to; i++) out.pushText(`${String(batch.record(rows[i]!)).split(':')[1]}\n`);
    },
  }),
};

const NO_SCHEMA: Schema = { fields: [] };
const plain = { extension: '', compress: (bytes: Uint8Array) => bytes };

export function textFormat(): BulkFormat {
  return rowPartFormat(textRows, plain, NO_SCHEMA);
}

export interface HarnessOptions extends Pick<SinkConfig, 'bucketTimes' | 'maxOutOfOrdernessMs'> {
  readonly policy?: RollingPolicy;
  readonly format?: () => BulkFormat;
  readonly assigner?: BucketAssigner;
  readonly memoryBytes?: number;
  readonly flushBytes?: number;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly staging?: boolean;
  /** Of the records, where they are objects. */
  readonly schema?: Schema;
  /** False for storage on which an open file cannot be continued. */
  readonly supportsResume?: boolean;
}

/** What a checkpoint would hold. */
export interface Checkpointed {
  readonly id: number;
  readonly state: SinkState;
  readonly promised: readonly Committable[];
}

export class SinkHarness {
  readonly folder: string;
  readonly clock = new ManualClock(0);
  readonly options: HarnessOptions;
  buckets: Buckets;
  #ids: Ids;
  #closed: { id: number; committables: readonly Committable[] }[] = [];
  #committed = 0;

  private constructor(folder: string, options: HarnessOptions) {
    this.folder = folder;
    this.options = options;
    this.#ids = randomIds;
    this.buckets = this.#newBuckets(0);
  }

  static async open(options: HarnessOptions = {}): Promise<SinkHarness> {
    return new SinkHarness(await mkdtemp(path.join(tmpdir(), 'sluice-sink-')), options);
  }

  /** In the names of this run's hidden files. */
  #runId = '';

  get runId(): string {
    return this.#runId;
  }

  #fileSystem(): FileSystem {
    const fileSystem = localFileSystem(this.#runId);
    if (this.options.supportsResume === false) {
      const recover = () => Promise.reject(new Error('this storage cannot continue a file'));
      Object.assign(fileSystem.recoverableWriter, { supportsResume: false, recover });
    }
    return fileSystem;
  }

  #newBuckets(subtask: number): Buckets {
    this.#runId = this.#ids.hex(4);
    const format = (this.options.format ?? textFormat)();
    return new Buckets({
      path: path.join(this.folder, 'lake'),
      staging: this.options.staging === true ? path.join(this.folder, 'staging') : null,
      naming: {
        prefix: this.options.prefix ?? 'part',
        jobId: '0a1b2c3d',
        suffix: this.options.suffix ?? format.extension,
      },
      subtask,
      schema: this.options.schema ?? NO_SCHEMA,
      format,
      checkpointId: 0,
      bucketTimes: this.options.bucketTimes ?? null,
      maxOutOfOrdernessMs: this.options.maxOutOfOrdernessMs ?? 0,
      assigner: this.options.assigner ?? byPrefix,
      policy: this.options.policy ?? neverRoll,
      memoryBytes: this.options.memoryBytes ?? 1 << 20,
      flushBytes: this.options.flushBytes ?? 1 << 16,
      fileSystem: this.#fileSystem(),
      segmentsFolder: path.join(this.folder, 'segments'),
      runId: this.#runId,
      clock: this.clock,
    });
  }

  /** Writes records, each in a batch of its own. */
  async write(...records: string[]): Promise<void> {
    for (const record of records) await this.writeBatch([record]);
  }

  async writeBatch(records: readonly string[], timestampsMs: Float64Array | null = null): Promise<void> {
    await this.#write(Batch.ofObjects(records), timestampsMs);
  }

  /** Writes objects with the fields of the schema. */
  async writeObjects(records: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const { schema = NO_SCHEMA } = this.options;
    await this.#write(new Batch(schema, columnsOf(schema, records), records.length));
  }

  async #write(batch: Batch, timestampsMs: Float64Array | null = null): Promise<void> {
    await this.buckets.write(batch, { watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs });
  }

  /** Lets time pass, then runs the sink's timer. */
  async tick(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.buckets.onProcessingTime();
  }

  async snapshot(id: number, closeAll = false): Promise<Checkpointed> {
    const snapshot = await this.buckets.snapshot(id, closeAll);
    this.#closed.push({ id, committables: snapshot.committables });
    const stored = {
      id,
      state: snapshot.state,
      promised: this.#closed
        .filter((entry) => entry.id > this.#committed)
        .flatMap((entry) => entry.committables),
    };
    return JSON.parse(JSON.stringify(stored)) as Checkpointed;
  }

  /** Checkpoint `id` is durable: publishes what it and those before it closed. Flink: notifyCheckpointComplete. */
  async notify(id: number): Promise<readonly Committable[]> {
    const due = this.#closed.filter((entry) => entry.id <= id && entry.id > this.#committed);
    const committer = new Committer(
      this.#fileSystem().recoverableWriter,
      due.flatMap((entry) => entry.committables),
    );
    const committed = await committer.commit();
    this.#committed = Math.max(this.#committed, id);
    this.#closed = this.#closed.filter((entry) => entry.id > id);
    return committed;
  }

  /** The process dies; another one starts from these checkpoints (one a subtask of the dead run). */
  async restart(...from: Checkpointed[]): Promise<void> {
    await this.restartAs(0, ...from);
  }

  /** {@link restart}, as subtask number `subtask`. */
  async restartAs(subtask: number, ...from: Checkpointed[]): Promise<void> {
    // A dead process writes nothing more; one that we only pretend to be dead must have its say first.
    await this.buckets.close();
    this.#closed = [];
    this.buckets = this.#newBuckets(subtask);
    for (const checkpointed of from) {
      await new Committer(this.#fileSystem().recoverableWriter, checkpointed.promised).commit();
      this.#committed = Math.max(this.#committed, checkpointed.id);
      await this.buckets.restore(checkpointed.state);
    }
  }

  async files(): Promise<string[]> {
    const entries = await readdir(path.join(this.folder, 'lake'), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(path.join(this.folder, 'lake'), path.join(entry.parentPath, entry.name)))
      .sort();
  }

  async visible(): Promise<string[]> {
    return (await this.files()).filter((file) => !/^[._]/.test(path.basename(file)));
  }

  async hidden(): Promise<string[]> {
    return (await this.files()).filter((file) => path.basename(file).startsWith('.'));
  }

  /** Contents of visible files by `bucket/counter` (`bucket/1-counter` of subtask 1, `bucket/c-counter` of merged ones). */
  async contents(): Promise<Record<string, string>> {
    const contents: Record<string, string> = {};
    for (const file of await this.visible()) {
      const counter = /-((?:(?:[1-9]\d*|c)-)?\d+)\.[a-z.]*$/.exec(file)?.[1]?.replace(/^0-/, '');
      const text = await readFile(path.join(this.folder, 'lake', file), 'utf8');
      contents[`${path.dirname(file)}/${counter}`] = text.trimEnd().replaceAll('\n', ',');
    }
    return contents;
  }

  async dispose(): Promise<void> {
    await this.buckets.close();
    await rm(this.folder, { recursive: true });
  }
}
