/**
 * Plain descriptions of what a job is made of: the compiled stage of the options (numbers in bytes and milliseconds,
 * every default filled in). They are JSON, so that they go to worker threads and into checkpoints as they are. The
 * factories that turn them into objects live with the objects: formats/, bucketing/, rolling/.
 */
import type { Schema } from './data-type.ts';

/** once: Flink's PROCESS_ONCE, one scan · continuously: PROCESS_CONTINUOUSLY, a scan every `monitorIntervalMs`. */
export type ProcessingMode = 'once' | 'continuously';

/** Of rows that are written. */
export type RowCompression = 'none' | 'gzip' | 'zstd';

/** Of files that are read. */
export type Compression = RowCompression | 'bzip2' | 'lz4' | 'snappy';

export type InputFormatSpec = (
  | { readonly type: 'ndjson' }
  | {
      readonly type: 'csv';
      readonly delimiter: string;
      readonly quote: string;
      /** The file's first line names the columns; otherwise `columns` does, or the schema's order. */
      readonly header: boolean;
      readonly columns: readonly string[] | null;
      /** Unquoted text that means null; the empty field always is null unless quoted. */
      readonly nullText: string | null;
      /** Whether a line end may stand inside quotes. false makes files splittable and such a record a bad one. */
      readonly quotedNewlines: boolean;
    }
  | {
      readonly type: 'text';
      /** Name of the one column. */
      readonly column: string;
    }
  | { readonly type: 'parquet' }
  | { readonly type: 'avro' }
  | { readonly type: 'arrow' }
  /** One array of objects a file. */
  | { readonly type: 'json' }
) & {
  readonly compression: 'auto' | Compression;
};

export type OutputFormatSpec =
  | {
      readonly type: 'parquet';
      readonly engine: 'sluice' | 'parquetjs';
      readonly compression: 'none' | 'snappy' | 'gzip' | 'zstd';
      /** Memory of buffered rows after which a row group is written. */
      readonly rowGroupBytes: number;
      /** Bytes of a data page before compression, about. */
      readonly pageBytes: number;
      /** Of gzip and zstd; the codec's own where left out. */
      readonly level?: number;
      /** Which columns of text may have dictionaries, by name; all (true) where left out. */
      readonly dictionary?: boolean | readonly string[];
      /** Columns with a bloom filter, by name. */
      readonly bloomFilter?: readonly string[];
      /** Columns by which the rows of a row group are sorted, ascending, nulls last. */
      readonly sortBy?: readonly string[];
    }
  | {
      readonly type: 'ndjson';
      readonly compression: RowCompression;
      /** hive: what Presto, Trino and Hive read as typed columns (timestamps with a blank, no T and Z). */
      readonly dialect: 'standard' | 'hive';
    }
  | {
      readonly type: 'csv';
      readonly compression: RowCompression;
      /** hive: no header unless asked, backslashes escaped, line ends in values replaced by a blank, OpenCSVSerde reads it. */
      readonly dialect: 'standard' | 'hive';
      readonly delimiter: string;
      readonly header: boolean;
      readonly nullText: string;
    }
  | {
      readonly type: 'text';
      readonly compression: RowCompression;
      /** The column to write, one value a line; null: the only column there is. */
      readonly column: string | null;
    }
  | {
      readonly type: 'avro';
      /** Of the blocks. */
      readonly compression: 'none' | 'deflate' | 'snappy' | 'zstd';
      /** Of deflate and zstd; null: the codec's own. */
      readonly level: number | null;
    }
  /** The stream form. */
  | { readonly type: 'arrow'; readonly compression: 'none' };

export type BucketSpec =
  | { readonly type: 'base_path' }
  | {
      readonly type: 'datetime';
      readonly time: 'processing' | 'event';
      /** date-fns pattern; `/` makes levels. */
      readonly pattern: string;
      /** IANA zone. */
      readonly zone: string;
    }
  | {
      readonly type: 'fields';
      readonly fields: readonly PartitionField[];
      readonly keepFields: boolean;
    }
  | { readonly type: 'custom'; readonly module: string; readonly options: unknown };

/** One `key=value` level. */
export interface PartitionField {
  /** The key in the folder's name. */
  readonly name: string;
  /** The column. */
  readonly column: string;
  /** value: as it is; date, hour, month, year: of a timestamp or date, UTC: 2026-11-23, 07, 2026-11, 2026. */
  readonly transform: 'value' | 'year' | 'month' | 'date' | 'hour';
}

export type RollingSpec =
  | {
      readonly type: 'default';
      readonly partSizeBytes: number;
      readonly rolloverIntervalMs: number;
      readonly inactivityIntervalMs: number;
      /** Rows after which a part is closed; Infinity is written as null. */
      readonly maxRows: number | null;
      readonly onCheckpoint: boolean;
      /** A part is closed when the watermark is so far behind the end of its bucket's time; null: not by watermark. */
      readonly watermarkDelayMs: number | null;
    }
  | { readonly type: 'custom'; readonly module: string; readonly options: unknown };

/** Where event time comes from. */
export interface EventTimeSpec {
  readonly column: string;
  /** What a number in the column counts; timestamps and dates know themselves, strings are ISO 8601. */
  readonly unit: 's' | 'ms' | 'us' | 'ns';
}

/** How far event time has come, and what becomes of rows that come later. */
export interface WatermarkSpec {
  /** Rows may be so much older than the newest row before them in their split. */
  readonly maxOutOfOrdernessMs: number;
  /** A split that gave no rows for so long holds the watermark back no more; null: it does for ever. */
  readonly idleTimeoutMs: number | null;
  /** Rows of a bucket whose time is over: kept (its partition is committed again), dropped and counted, or quarantined. */
  readonly late: 'keep' | 'drop' | 'quarantine';
  /** How far the watermark may be behind the end of a bucket's time before its rows are late. */
  readonly allowedLatenessMs: number;
}

/** Reads the time of a bucket out of its `key=value` folders. Flink: partition.time-extractor. */
export interface PartitionTimeSpec {
  /** `$key` stands for the value of a folder: `$dt $hour:00:00`. */
  readonly pattern: string;
  /** date-fns pattern of the text that this gives; null: `yyyy-MM-dd HH:mm:ss` or `yyyy-MM-dd`. */
  readonly format: string | null;
  /** IANA zone. */
  readonly zone: string;
  /** How long a bucket's time lasts. */
  readonly spanMs: number;
}

/** When and how partitions are announced once their rows are visible. Flink: sink.partition-commit. */
export interface PartitionCommitSpec {
  readonly trigger: 'process_time' | 'partition_time';
  readonly delayMs: number;
  /** In this order. */
  readonly policies: readonly PartitionPolicySpec[];
  readonly retry: PartitionRetrySpec;
}

export interface PartitionRetrySpec {
  readonly attempts: number;
  /** Doubles from attempt to attempt. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

export interface StatementPolicySpec {
  readonly type: 'trino' | 'presto';
  readonly url: string;
  readonly user: string;
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  readonly method: 'sync' | 'register';
  /** The table's folder as the engine sees it; null: `file://` and the sink's path. */
  readonly location: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface MetastorePolicySpec {
  readonly type: 'metastore';
  /** `thrift://host:port`. */
  readonly url: string;
  readonly database: string;
  readonly table: string;
  readonly location: string | null;
  readonly timeoutMs: number;
}

export interface WebhookPolicySpec {
  readonly type: 'webhook';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface CommandPolicySpec {
  readonly type: 'command';
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export type PartitionPolicySpec =
  | { readonly type: 'success_file'; readonly name: string }
  | StatementPolicySpec
  | MetastorePolicySpec
  | WebhookPolicySpec
  | CommandPolicySpec
  | { readonly type: 'custom'; readonly module: string; readonly options: unknown };

/** Columns that tell where a row comes from. */
export type LineageName = 'file' | 'offset' | 'line' | 'ingested_at' | 'checkpoint';

export type BadRecordPolicy = 'fail' | 'skip' | 'quarantine';

/** How many bad records a job puts up with, over its whole life; null: any number. */
export interface BadRecordLimits {
  readonly maxRecords: number | null;
  /** Of all records, 0 to 1. */
  readonly maxRatio: number | null;
}

/** What becomes of data that the schema does not hold. */
export interface SchemaDriftSpec {
  readonly newField: 'ignore' | 'rescue' | 'evolve' | 'fail';
  readonly mismatch: 'bad_record' | 'rescue' | 'quarantine' | 'widen' | 'fail';
}

/** Where refused records go. */
export interface QuarantineSpec {
  /** Absolute folder. */
  readonly path: string;
  readonly format: Extract<OutputFormatSpec, { readonly type: 'parquet' | 'ndjson' }>;
  readonly rolling: RollingSpec;
}

/** Where messages about objects that came are received: hints, which make a look come sooner. */
export type NotificationSpec =
  | {
      readonly type: 'http';
      readonly host: string;
      readonly port: number;
      /** What senders have to know; null: nothing. */
      readonly token: string | null;
    }
  | {
      readonly type: 'sqs';
      readonly queueUrl: string;
      /** null: the server of the URL. */
      readonly endpoint: string | null;
      /** null: as the SDK finds it. */
      readonly region: string | null;
      readonly profile: string | null;
    };

/** How object stores are reached and written to; for every s3:// path of a job. Holds no secret. */
export interface S3Spec {
  /** URL of the server; null: Amazon's, or what the SDK's own environment variables say. */
  readonly endpoint: string | null;
  readonly region: string | null;
  /** Whether the bucket's name stands in the path instead of the host name. */
  readonly pathStyle: boolean;
  /** Of the shared AWS configuration files; null: the SDK's default chain of credentials. */
  readonly profile: string | null;
  readonly requesterPays: boolean;
  /** What uploads carry to prove that they arrived as they were sent. */
  readonly checksum: 'crc32' | 'none';
  /** Whether the server has If-None-Match: without it, an object in a part's place is looked for beforehand. */
  readonly conditionalWrites: boolean;
  /** Size of the parts of an upload, all of them but the last. */
  readonly partBytes: number;
  /** Uploads of parts under way at once, a subtask. */
  readonly concurrentUploads: number;
  readonly encryption: 'none' | 'AES256' | 'aws:kms';
  readonly kmsKey: string | null;
  /** Of finished parts; null: the bucket's default. */
  readonly storageClass: string | null;
  /** Of finished parts. */
  readonly tags: Readonly<Record<string, string>>;
  /** How long a request may take to be answered. */
  readonly requestTimeoutMs: number;
  /** How long a request is repeated before its failure counts. */
  readonly retryTimeoutMs: number;
  /** Local folder for what waits to be uploaded; null: the system's temporary folder. */
  readonly spoolFolder: string | null;
}

export const MIB = 1024 * 1024;

/** What holds where a job says nothing. The job file's definition has these as its defaults; a test compares. */
export const DEFAULT_S3: S3Spec = {
  endpoint: null,
  region: null,
  pathStyle: false,
  profile: null,
  requesterPays: false,
  checksum: 'crc32',
  conditionalWrites: true,
  partBytes: 8 * MIB,
  concurrentUploads: 4,
  encryption: 'none',
  kmsKey: null,
  storageClass: null,
  tags: {},
  requestTimeoutMs: 60_000,
  retryTimeoutMs: 120_000,
  spoolFolder: null,
};

export type SchemaSpec = 'infer' | Schema;
