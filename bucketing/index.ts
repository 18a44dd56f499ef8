/**
 * `sluice/bucketing`: which folder a row goes to.
 *
 * {@link basePathAssigner} puts all rows into the sink's path, {@link datetimeAssigner} into folders by time,
 * {@link fieldsAssigner} into Hive's `key=value` folders. Your own: implement `BucketAssigner` (a vector of codes a
 * batch), or write Flink's `getBucketId(record, context)` and wrap it with {@link rowBucketAssigner}. What you return
 * is checked by {@link confine}.
 */
import type { BucketAssigner } from '../lib/core/bucket-assigner.ts';
import type { Schema } from '../lib/core/data-type.ts';
import type { BucketSpec } from '../lib/core/specs.ts';
import { basePathAssigner } from './base-path.ts';
import { loadBucketAssigner } from './custom.ts';
import { datetimeAssigner } from './datetime.ts';
import { fieldsAssigner } from './fields.ts';

export type {
  BucketAssigner,
  BucketContext,
  BucketVector,
  RowContext,
} from '../lib/core/bucket-assigner.ts';
export { HIVE_DEFAULT_PARTITION } from '../lib/core/partition-commit.ts';
export type { BucketSpec, EventTimeSpec, PartitionField } from '../lib/core/specs.ts';
export { basePathAssigner } from './base-path.ts';
export { type BucketTime, type BucketTimes, createBucketTimes } from './bucket-times.ts';
export { confine } from './confine.ts';
export { checkedAssigner, loadBucketAssigner, type RowBucketAssigner, rowBucketAssigner } from './custom.ts';
export { type DatetimeAssignerOptions, DEFAULT_DATETIME_PATTERN, datetimeAssigner } from './datetime.ts';
export { NO_EVENT_TIME } from './datetime-pattern.ts';
export { datetimePatternProblem } from './datetime-pattern-check.ts';
export { createEventTime } from './event-time.ts';
export { type FieldsAssignerOptions, fieldsAssigner } from './fields.ts';
export { escapeHive, partitionSegment } from './hive-escape.ts';
export { fileColumns, hiddenColumn, type PartitionColumn, partitionColumns } from './partition-columns.ts';
export { type PartitionKey, parsePartition, unescapeHive } from './partition-path.ts';

/**
 * The assigner that a job's `sink.bucket` describes.
 * @param schema of the batches that it will be given
 * @throws SluiceError JOB_INVALID
 */
export async function createBucketAssigner(spec: BucketSpec, schema: Schema): Promise<BucketAssigner> {
  switch (spec.type) {
    case 'base_path':
      return basePathAssigner();
    case 'datetime':
      return datetimeAssigner(spec);
    case 'fields':
      return fieldsAssigner(schema, spec);
    case 'custom':
      return loadBucketAssigner(spec.module, spec.options);
  }
}
