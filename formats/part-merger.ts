/** What merges the parts of a job, by their format. */
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

export function createPartMerger(spec: OutputFormatSpec, options: PartMergerOptions): PartMerger {
  if (spec.type === 'parquet') return parquetMerger({ spec, ...options });
  return rowMerger({ compression: spec.compression, hasHeader: spec.type === 'csv' && spec.header });
}
