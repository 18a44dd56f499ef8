/** A job's lake as a table: what every engine's CREATE TABLE says, in no engine's words yet. */
import { fileColumns, partitionColumns } from '../../../bucketing/index.ts';
import type { CompiledJob } from '../../core/compiled-job.ts';
import type { Field, Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';
import type { BucketSpec, OutputFormatSpec } from '../../core/specs.ts';

export interface Table {
  readonly schema: string;
  readonly name: string;
  /** URL of the folder. */
  readonly location: string;
  /** Absolute path of the folder. */
  readonly path: string;
  /** Part files below it, as a glob. */
  readonly glob: string;
  /** Columns that are in the files. */
  readonly columns: readonly Field[];
  /** Text all of them: whoever compares `hour = '07'` gets what the folder says. */
  readonly partitions: readonly string[];
  readonly format: TableFormat;
  /** What tells readers which parts there are. */
  readonly by: 'folders' | 'delta' | 'manifest';
}

/** Formats that the statements know how to name. */
export type TableFormat = Exclude<OutputFormatSpec, { readonly type: 'avro' | 'arrow' }>;

export interface TableOptions {
  readonly schema: string;
  readonly name: string;
  /** null: the sink's path as a URL. */
  readonly location: string | null;
  /** Keys of the folders, where a bucket assigner of the user's makes them. */
  readonly partitionedBy: readonly string[] | null;
}

/** @throws SluiceError JOB_INVALID where engines have no table for these folders or columns */
export function tableOf(job: CompiledJob, schema: Schema, options: TableOptions): Table {
  const { sink } = job;
  const format = tableFormat(sink.format);
  const by = sink.table?.type ?? 'folders';
  const partitions = options.partitionedBy ?? partitionsOf(sink.bucket, schema, by === 'delta');
  const columns = fileColumns(
    sink.bucket,
    schema,
    partitions.map((name) => ({ name })),
  ).fields;
  proveNames([...columns.map(({ name }) => name), ...partitions]);
  return {
    schema: options.schema,
    name: options.name,
    location: options.location ?? (sink.path.startsWith('/') ? `file://${sink.path}` : sink.path),
    path: options.location?.replace(/^file:\/\//, '') ?? sink.path,
    glob: `${partitions.length === 0 ? '' : '**/'}${sink.partPrefix}-*${sink.partSuffix ?? suffixOf(format)}`,
    columns,
    partitions,
    format,
    by,
  };
}

/** @param any whether the folders may be of any kind: nobody looks into them */
function partitionsOf(bucket: BucketSpec, schema: Schema, any: boolean): string[] {
  const columns = partitionColumns(bucket, schema);
  if (columns === null) {
    throw new SluiceError('JOB_INVALID', 'which folders a custom assigner makes cannot be told', {
      hint: 'name their keys: --partitioned-by dt,hour',
    });
  }
  if (columns.length === 0 && bucket.type === 'datetime' && !any) {
    throw new SluiceError(
      'JOB_INVALID',
      `the folders of '${bucket.pattern}' are no partitions: engines would not look into them`,
      { hint: "begin each level with a quoted key: 'dt='yyyy-MM-dd/'hour='HH" },
    );
  }
  return columns.map(({ name }) => name);
}

/** Engines compare names without their case. */
function proveNames(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new SluiceError('JOB_INVALID', `engines take the columns '${other}' and '${name}' for one`, {
        hint: 'rename one of them',
      });
    }
    seen.set(name.toLowerCase(), name);
  }
}

/** @throws SluiceError JOB_INVALID */
function tableFormat(format: OutputFormatSpec): TableFormat {
  if (format.type !== 'avro' && format.type !== 'arrow') return format;
  throw new SluiceError('JOB_INVALID', `there is no table for parts of the format ${format.type}`, {
    hint: 'tables are made for parquet, ndjson, csv and text',
  });
}

function suffixOf(format: TableFormat): string {
  const extension = format.type === 'text' ? '.txt' : `.${format.type}`;
  const compression = { none: '', gzip: '.gz', zstd: '.zst', snappy: '' };
  return format.type === 'parquet' ? extension : extension + compression[format.compression];
}
