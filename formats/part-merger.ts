/** What merges the parts of a job, by their format. */
import { SluiceError } from '../lib/core/errors.ts';
import type { PartMerger } from '../lib/core/part-merger.ts';
import type { OutputFormatSpec } from '../lib/core/specs.ts';
import { parquetMerger } from './merge/parquet.ts';
import { rowMerger } from './merge/rows.ts';

export interface PartMergerOptions {
  /** See ParquetMergeOptions. */
  readonly copyRowGroupBytes: number;
  /** Parquet only. */
  readonly sortBy: readonly string[];
}

/** @throws SluiceError JOB_INVALID for a format that has no merger */
export function createPartMerger(spec: OutputFormatSpec, options: PartMergerOptions): PartMerger {
  if (spec.type === 'parquet') return parquetMerger({ spec, ...options });
  if (spec.type === 'avro' || spec.type === 'arrow')
    throw new SluiceError(
      'JOB_INVALID',
      `parts of the format ${spec.type} cannot be merged in this version`,
      {
        hint: 'leave sink.compaction out, or write another format',
      },
    );
  return rowMerger({ compression: spec.compression, hasHeader: spec.type === 'csv' && spec.header });
}
