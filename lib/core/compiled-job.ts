/** A job file after reading: validated, defaults filled in, paths absolute, sizes in bytes, durations in milliseconds. */
import type {
  BadRecordLimits,
  BadRecordPolicy,
  BucketSpec,
  EventTimeSpec,
  InputFormatSpec,
  LineageName,
  NotificationSpec,
  OutputFormatSpec,
  PartitionCommitSpec,
  PartitionTimeSpec,
  QuarantineSpec,
  RollingSpec,
  S3Spec,
  SchemaDriftSpec,
  SchemaSpec,
  WatermarkSpec,
} from './specs.ts';
import type { TransformStep } from './transform-spec.ts';

export interface CompiledJob {
  /** `[a-z0-9-]+`. */
  readonly name: string;
  /** Absolute path of the job's own state folder: `<state>/<name>`. */
  readonly statePath: string;
  /** Subtasks. */
  readonly parallelism: number;
  /** Budget for everything buffered, whole job. */
  readonly memoryBytes: number;
  readonly checkpoint: { readonly intervalMs: number; readonly retain: number };
  readonly shutdownTimeoutMs: number;
  readonly source: SourceSpec;
  /** Steps between reading and writing, in their order. */
  readonly transform: readonly TransformStep[];
  readonly eventTime: EventTimeSpec | null;
  readonly watermarks: WatermarkSpec;
  readonly sink: SinkSpec;
  /** null: the job has none. */
  readonly quarantine: QuarantineSpec | null;
  readonly s3: S3Spec;
}

export interface SourceSpec {
  /** Absolute folders, files or globs. */
  readonly paths: readonly string[];
  /** Globs relative to the folder; empty means everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly recursive: boolean;
  readonly monitorIntervalMs: number;
  /** Whether chokidar may make a listing come sooner. */
  readonly watch: boolean;
  /** null: nobody tells. */
  readonly notifications: NotificationSpec | null;
  readonly minAgeMs: number;
  readonly modified: 'ignore' | 'reread' | 'append' | 'fail';
  readonly onReplaced: 'read' | 'ignore' | 'fail';
  readonly rotation: 'rename' | 'copytruncate';
  readonly splitSizeBytes: number;
  readonly maxRecordBytes: number;
  readonly onBadRecord: BadRecordPolicy;
  readonly badRecordLimits: BadRecordLimits;
  readonly drift: SchemaDriftSpec;
  readonly format: InputFormatSpec;
  readonly schema: SchemaSpec;
  readonly afterCommit: AfterCommit;
  readonly limits: SourceLimits;
  /** Columns about where each row comes from, in this order; empty: none. */
  readonly lineage: readonly LineageName[];
}

/** What becomes of a file once all its rows are visible. */
export type AfterCommit =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  /** To an absolute folder, under its path relative to the source's. */
  | { readonly kind: 'move'; readonly folder: string };

/** null: no limit. */
export interface SourceLimits {
  /** Files, and bytes of files, taken between two checkpoints. */
  readonly filesPerCheckpoint: number | null;
  readonly bytesPerCheckpoint: number | null;
  /** Bytes read a second, whole job. */
  readonly bytesPerSecond: number | null;
}

export interface SinkSpec {
  /** Absolute. */
  readonly path: string;
  /** Absolute folder for hidden files, on the same file system; null: beside the parts. */
  readonly staging: string | null;
  readonly format: OutputFormatSpec;
  readonly bucket: BucketSpec;
  /** How to read a bucket's time out of its folder; null: as `bucket` tells. */
  readonly partitionTime: PartitionTimeSpec | null;
  readonly rolling: RollingSpec;
  readonly partitionCommit: PartitionCommitSpec | null;
  readonly partPrefix: string;
  /** Behind everything else of a part's name; null: what the format says. */
  readonly partSuffix: string | null;
  /** null: parts stay as they were written. */
  readonly compaction: CompactionSpec | null;
  /** null: readers go by the folders. */
  readonly table: TableSpec | null;
  /** How often the timer asks the rolling policy. */
  readonly bucketCheckIntervalMs: number;
}

export type TableSpec =
  | {
      readonly type: 'delta';
      /** Versions. */
      readonly checkpointEvery: number;
    }
  | { readonly type: 'manifest' };

export interface CompactionSpec {
  /** Whether the running job merges, and not only the command. */
  readonly daemon: boolean;
  readonly targetBytes: number;
  readonly maxSmallParts: number;
  readonly quietMs: number;
  readonly bytesPerSecond: number;
  /** How long replaced parts stay. */
  readonly keepReplacedMs: number;
  /** Columns; empty: rows keep their order. */
  readonly sortBy: readonly string[];
}
