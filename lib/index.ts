/** sluice: files into a lake, exactly once. */
export type { Checkpoint, Totals } from './commit/checkpoint.ts';
export type { JobStatus } from './commit/status.ts';
export { readStatus } from './commit/status.ts';
export { Batch, type SourceLines } from './core/batch.ts';
export type { BucketAssigner, BucketContext, BucketVector, RowContext } from './core/bucket-assigner.ts';
export { ByteBuffer } from './core/byte-buffer.ts';
export type { ByteSource } from './core/byte-source.ts';
export { type Clock, systemClock } from './core/clock.ts';
export {
  BitsColumn,
  BytesColumn,
  type Column,
  Dictionary,
  DictionaryColumn,
  FixedColumn,
  ListColumn,
  StructColumn,
} from './core/column.ts';
export type { CompiledJob } from './core/compiled-job.ts';
export { type DataType, type Field, formatDataType, parseDataType, type Schema } from './core/data-type.ts';
export type {
  BadRecord,
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
  FileSample,
  InputFormat,
} from './core/decoder.ts';
export type { BulkFormat, BulkWriter, RowEncoder, RowFormat } from './core/encoder.ts';
export { ERROR_KINDS, type ErrorCode, type ErrorDomain, SluiceError } from './core/errors.ts';
export { type Ids, randomIds } from './core/ids.ts';
export type { MapFunction } from './core/map-function.ts';
export type { PartFileInfo, RollingPolicy } from './core/rolling-policy.ts';
export { RowBuffer } from './core/row-buffer.ts';
export { runJob } from './pipeline/job-runner.ts';
export type { JobEvent, JobProgress, JobSummary } from './pipeline/progress.ts';
export type { RunOptions } from './pipeline/run-options.ts';
export type { RecordContext, SinkWriter } from './pipeline/sink-writer.ts';
export {
  type OpenOptions,
  type OutputFileConfig,
  StreamingFileSink,
  type StreamingFileSinkBuilder,
} from './pipeline/streaming-file-sink.ts';
export type { FileStatus, FileSystem, ListOptions } from './storage/file-system.ts';
export { localFileSystem } from './storage/local/local-file-system.ts';
export type { OpenFile, PendingFile, RecoverableWriter, ResumePoint } from './storage/recoverable-writer.ts';
