/** The keys of `sink` in a job file. Descriptions and defaults stand here and nowhere else. */
import * as z from 'zod';
import { GIB, KIB, MIB, TEN_YEARS_MS } from './bounds.ts';
import {
  anyText,
  byType,
  choice,
  duration,
  flag,
  integer,
  location,
  moduleOptions,
  path,
  section,
  size,
  text,
} from './options.ts';
import { partitionCommit } from './partition-commit-section.ts';
import { delimiter } from './source-section.ts';

const TRANSFORMS = ['value', 'year', 'month', 'date', 'hour'] as const;

const rowCompression = choice(['none', 'gzip', 'zstd']).prefault('none').describe('of the part files');
const dialect = choice(['standard', 'hive'])
  .prefault('standard')
  .describe('`hive`: what Presto, Trino and Hive read as typed columns');

export const parquet = section({
  type: z.literal('parquet').describe('Apache Parquet'),
  engine: choice(['sluice', 'parquetjs'])
    .prefault('sluice')
    .describe('who encodes: sluice itself, or parquetjs-lite for those who need that very writer'),
  compression: choice(['none', 'snappy', 'gzip', 'zstd']).prefault('snappy').describe('of the pages'),
  row_group_size: size(64 * KIB, GIB)
    .prefault('64MiB')
    .describe('memory of buffered rows at which a row group is written; less where `memory` asks for it'),
  page_size: size(KIB, 64 * MIB)
    .prefault('1MiB')
    .describe('bytes of a data page before compression, about'),
  level: integer(1, 22)
    .optional()
    .describe('of gzip (1 to 9) and zstd (1 to 22); default: what the codec takes by itself'),
  dictionary: z
    .union([flag(), columnNames()], { error: 'expected true, false, or a list of columns' })
    .register(z.globalRegistry, { title: 'boolean or list of columns' })
    .prefault(true)
    .describe('which columns of text get a dictionary where it saves something: all, none, or those listed'),
  bloom_filter: columnNames()
    .prefault([])
    .describe(
      'columns with a bloom filter, so that readers who look for one value pass over row groups; costs 2 us a distinct value',
    ),
  sort_by: columnNames()
    .prefault([])
    .describe('columns by which the rows of each row group are sorted, ascending, nulls last'),
});

export const ndjson = section({
  type: z.literal('ndjson').describe('one JSON object a line'),
  compression: rowCompression,
  dialect,
});

const csv = section({
  type: z.literal('csv').describe('RFC 4180'),
  compression: rowCompression,
  dialect,
  delimiter: delimiter.prefault(',').describe('what stands between two values'),
  header: flag()
    .optional()
    .describe(
      'whether each part begins with the names of the columns; default: true, for `dialect: hive` false',
    ),
  null_text: anyText().prefault('').describe('what is written for null'),
});

const textLines = section({
  type: z.literal('text').describe('one value a line'),
  compression: rowCompression,
  column: text('the name of a column')
    .optional()
    .describe('the column that is written; default: the only one there is'),
});

const avro = section({
  type: z.literal('avro').describe('Avro object container'),
  compression: choice(['none', 'deflate', 'snappy', 'zstd']).prefault('snappy').describe('of the blocks'),
  level: integer(1, 22)
    .optional()
    .describe('of deflate (1 to 9) and zstd (1 to 22); default: what the codec takes by itself'),
});

const arrow = section({ type: z.literal('arrow').describe('Arrow IPC stream') });

const outputFormat = byType(
  [parquet, ndjson, csv, textLines, avro, arrow],
  ['parquet', 'ndjson', 'csv', 'text', 'avro', 'arrow'],
  ['orc'],
);

const PARTITION_NAME = /^[^._/=\p{Cc}][^/=\p{Cc}]*$/u;

/** `country`, or `{dt: 'ts:date'}`. */
const partitionField = z
  .union([text(), z.record(z.string(), text())], {
    error: "expected a column, or {name: 'column:transform'}",
  })
  .transform((given, context) => {
    const problem = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const entries = typeof given === 'string' ? [[given, given] as const] : Object.entries(given);
    const [entry] = entries;
    if (entry === undefined || entries.length > 1)
      return problem("expected one entry: {name: 'column:transform'}");
    const [name, expression] = entry;
    if (typeof given === 'string' && given.includes(':')) {
      return problem(`a transform needs a name for its folder: {name: '${given}'}`);
    }
    if (!PARTITION_NAME.test(name)) {
      return problem(
        `'${name}' cannot name a folder: no '/' and '=', and no '.' or '_' in front, which readers skip`,
      );
    }
    const cut = expression.lastIndexOf(':');
    if (cut === -1) return { name, column: expression, transform: 'value' as const };
    const transform = TRANSFORMS.find((each) => each === expression.slice(cut + 1));
    if (transform === undefined || cut === 0) {
      return problem(`expected 'column' or 'column:transform' with one of ${TRANSFORMS.join(', ')}`);
    }
    return { name, column: expression.slice(0, cut), transform };
  })
  .register(z.globalRegistry, { title: "column or {name: 'column:transform'}" });

const basePathBucket = section({ type: z.literal('base_path').describe('parts directly under `sink.path`') });

const datetimeBucket = section({
  type: z.literal('datetime').describe('a folder for each span of time'),
  time: choice(['processing', 'event'])
    .prefault('processing')
    .describe("`processing`: when the row is written; `event`: the row's own time, see `event_time`"),
  pattern: text()
    .prefault('yyyy-MM-dd--HH')
    .describe("date-fns pattern; `/` makes levels, text stands in '...'"),
  zone: text()
    .refine(isTimeZone, { error: 'expected a time zone such as UTC or Europe/Berlin' })
    .prefault('UTC')
    .describe('IANA time zone of the pattern'),
});

const fieldsBucket = section({
  type: z.literal('fields').describe('`key=value` folders from columns, as Hive names them'),
  fields: z
    .array(partitionField, { error: 'expected a list of columns' })
    .min(1, { error: 'names no column' })
    .max(16, { error: 'at most 16 levels' })
    .describe(
      "columns, one a level: `country`, or `{dt: 'ts:date'}` with `year`, `month`, `date` or `hour` of a date or timestamp in UTC",
    ),
  keep_fields: flag()
    .prefault(false)
    .describe('whether the part files repeat the columns whose values stand in the folder names'),
});

const customBucket = section({
  type: z.literal('custom').describe('a BucketAssigner of yours'),
  module: path('the path of a module').describe(
    'JavaScript module that exports `createBucketAssigner(options)`, or has it as its default export',
  ),
  options: moduleOptions.describe('what the module is given'),
});

const bucket = byType(
  [datetimeBucket, basePathBucket, fieldsBucket, customBucket],
  ['datetime', 'base_path', 'fields', 'custom'],
);

const defaultRolling = section({
  type: z.literal('default').optional().describe('by size, age, rows and checkpoints'),
  part_size: size(1)
    .prefault('128MiB')
    .describe(
      'bytes on storage after which a part is closed; a part may exceed it by what is written at once',
    ),
  rollover_interval: duration(1, TEN_YEARS_MS).prefault('60s').describe('age at which a part is closed'),
  inactivity_interval: duration(1, TEN_YEARS_MS)
    .prefault('60s')
    .describe('time without new rows after which a part is closed'),
  max_rows: integer(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('rows at which a part is closed; default: no limit'),
  on_checkpoint: flag().prefault(false).describe('whether every checkpoint closes every part'),
  watermark: duration(0, TEN_YEARS_MS)
    .optional()
    .describe(
      "closes a bucket's part when the watermark is so long past the end of the bucket's time; default: not by watermark",
    ),
});

const customRolling = section({
  type: z.literal('custom').describe('a RollingPolicy of yours'),
  module: path('the path of a module').describe(
    'JavaScript module that exports `createRollingPolicy(options)`, or has it as its default export',
  ),
  options: moduleOptions.describe('what the module is given'),
});

export const rolling = byType([defaultRolling, customRolling], ['default', 'custom']);

const partitionTime = section({
  pattern: text().describe(
    'text with `$key` for the value of the folder `key=value`, such as `$dt $hour:00:00`',
  ),
  format: text()
    .optional()
    .describe(
      'date-fns pattern of that text; default: `yyyy-MM-dd HH:mm:ss`, or `yyyy-MM-dd` where it has no time',
    ),
  zone: text()
    .refine(isTimeZone, { error: 'expected a time zone such as UTC or Europe/Berlin' })
    .prefault('UTC')
    .describe('IANA time zone of that text'),
  span: duration(1, TEN_YEARS_MS).describe("how long a bucket's time lasts, such as 1h"),
});

const compaction = section({
  daemon: flag()
    .prefault(true)
    .describe('whether `run` and `backfill` merge as they go; false: only `sluice compact` does'),
  target_size: size(1)
    .prefault('128MiB')
    .describe('bytes of a merged part, about; parts of half of it or more stay as they are'),
  max_small_parts: integer(2, 100_000)
    .prefault(32)
    .describe('small parts of a bucket beyond which some are merged before there is enough for a whole part'),
  quiet: duration(1, TEN_YEARS_MS)
    .prefault('1h')
    .describe('time without a new part after which what is left in a bucket is merged, however little'),
  bandwidth: size(KIB).prefault('64MiB').describe('bytes a second that merging may read and write, together'),
  keep_replaced: duration(0, TEN_YEARS_MS)
    .optional()
    .describe(
      'how long parts stay once they are merged, for those who still read them; default: 10m with `table`, otherwise 0s, since readers of the folders see their rows twice',
    ),
  sort_by: z
    .array(text('the name of a column'), { error: 'expected a list of columns' })
    .max(16, { error: 'at most 16 columns' })
    .prefault([])
    .describe('columns by which the rows of each row group of a merged part are ordered; Parquet only'),
});

const deltaTable = section({
  type: z.literal('delta').describe('a Delta Lake log in `_delta_log`; Parquet parts only'),
  checkpoint_every: integer(1, 10_000)
    .prefault(50)
    .describe('versions of the log after which its state is written into a Parquet checkpoint'),
});

const manifestTable = section({
  type: z.literal('manifest').describe('lists of the current parts in `_manifest`, a file a bucket'),
});

const table = byType([deltaTable, manifestTable], ['delta', 'manifest'], ['iceberg']);

export const sinkSection = section({
  path: location().describe('folder of the lake; made if it is not there'),
  staging: location()
    .optional()
    .describe(
      'folder for hidden files, on the same file system; default: beside the parts, with names that begin with `.`',
    ),
  format: outputFormat.prefault({ type: 'parquet' }).describe('how the parts are written'),
  bucket: bucket.prefault({ type: 'datetime' }).describe('which folder a row goes to'),
  partition_time: partitionTime
    .optional()
    .describe(
      "how the event time of a bucket is read out of its folder's name; default: from `bucket`, where that is by event time",
    ),
  partition_commit: partitionCommit
    .optional()
    .describe('announces a partition once its rows are visible; default: not'),
  rolling: rolling.prefault({}).describe('when a part is closed and the next one begun'),
  part: section({
    prefix: partText()
      .refine((value) => !/^[._]/.test(value), { error: 'readers skip names that begin with . or _' })
      .min(1, { error: 'is empty text' })
      .prefault('part')
      .describe('how the names of parts begin'),
    suffix: partText().optional().describe('how they end; default: as the format says, such as `.ndjson.gz`'),
  })
    .prefault({})
    .describe('names of the part files'),
  compaction: compaction
    .optional()
    .describe('merging of small parts, see docs/compaction.md; default: parts stay as they were written'),
  table: table
    .optional()
    .describe('a list of the parts that readers can go by, see docs/tables.md; default: the folders alone'),
  bucket_check_interval: duration(1)
    .prefault('1s')
    .describe('how often open parts are checked for age and inactivity'),
});

function partText() {
  return anyText()
    .max(64, { error: 'at most 64 characters' })
    .refine((value) => !/[/:\\\p{Cc}]/u.test(value), {
      error: "no '/', ':', '\\' and control characters in names of parts",
    });
}

function isTimeZone(zone: string): boolean {
  if (zone === 'UTC') return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

function columnNames() {
  return z
    .array(text('the name of a column'), { error: 'expected a list of columns' })
    .max(100, { error: 'at most 100 columns' })
    .register(z.globalRegistry, { title: 'list of columns' });
}
