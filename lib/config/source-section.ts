/** The keys of `source` in a job file. Descriptions and defaults stand here and nowhere else. */
import * as z from 'zod';
import { type DataType, parseDataType } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { GIB, KIB, TEN_YEARS_MS } from './bounds.ts';
import { notificationsSection } from './notifications-section.ts';
import {
  byType,
  choice,
  duration,
  flag,
  integer,
  location,
  matching,
  path,
  ratio,
  section,
  size,
  text,
} from './options.ts';

/** A column's type in its text form. */
export const dataType = text('a type')
  .transform((value, context): DataType => {
    try {
      return parseDataType(value);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      context.addIssue({ code: 'custom', message: `${error.message}; ${error.hint}` });
      return z.NEVER;
    }
  })
  .register(z.globalRegistry, { title: 'type' });

export const fieldList = z
  .array(
    section({
      name: text('the name of a column').describe('name of the column'),
      type: dataType.describe(
        'boolean, int32, int64, float32, float64, decimal(p,s), string, binary, json, date, timestamp(ms|us), list&lt;type&gt; or struct&lt;name:type,...&gt;',
      ),
      nullable: flag().prefault(true).describe('whether a row may lack the value'),
    }),
    { error: 'expected a list of {name, type, nullable}' },
  )
  .min(1, { error: 'a schema has at least one column' })
  .max(10_000, { error: 'a schema has at most 10,000 columns' });

const schema = z
  .union([path(), fieldList], { error: 'expected infer, a list of {name, type, nullable}, or a path' })
  .register(z.globalRegistry, { title: 'infer, a list or a path' })
  .prefault('infer')
  .describe(
    '`infer` reads a sample at the first start and keeps to the result; a list of {name, type, nullable} gives the columns; a path names a YAML or JSON file with that list',
  );

const compression = choice(['auto', 'none', 'gzip', 'zstd', 'bzip2', 'lz4', 'snappy'])
  .prefault('auto')
  .describe('`auto` tells by the first bytes; `lz4` are its frames, `snappy` its framing format');

const onBadRecord = choice(['fail', 'skip', 'quarantine'])
  .prefault('fail')
  .describe(
    'a record that does not fit: `fail` stops the job with its place (exit 3), `skip` counts it, `quarantine` keeps it in `quarantine.path`',
  );

const maxBadRecords = integer(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe(
    'bad records of the job, skipped and quarantined, after which it stops (exit 3); default: no limit',
  );

const maxBadRatio = ratio()
  .optional()
  .describe(
    'share of bad records, 0 to 1, above which the job stops (exit 3); looked at once there were 1,000 records, and at the end; default: no limit',
  );

const badRecords = {
  on_bad_record: onBadRecord,
  max_bad_records: maxBadRecords,
  max_bad_ratio: maxBadRatio,
};

const onNewField = choice(['ignore', 'rescue', 'evolve', 'fail'])
  .prefault('ignore')
  .describe(
    'a field that the schema does not have: `ignore` drops it, `rescue` keeps it in the column `_rescued`, `evolve` makes it a new column at the end, `fail` stops the job (exit 3)',
  );

/** Formats whose files say their columns: only those that are asked for are read. */
const ignoresNewFields = choice(['ignore'], ['rescue', 'evolve', 'fail'])
  .prefault('ignore')
  .describe('a field that the schema does not have: `ignore` drops it');

const onTypeMismatch = choice(['bad_record', 'rescue', 'quarantine', 'widen', 'fail'])
  .prefault('bad_record')
  .describe(
    "a value that is not of its column's type: `bad_record` as `on_bad_record` says, `rescue` null and the value in `_rescued`, `quarantine` the record in `quarantine.path`, `widen` a wider type of the column (int32, int64, float64, string), `fail` stops the job (exit 3)",
  );

/** One printable ASCII character, as the decoder compares bytes. */
function character(takes: string) {
  return matching(/^(?:\t|[\x20-\x7e])$/, `one ASCII character, ${takes}`).register(z.globalRegistry, {
    title: 'character',
  });
}

export const delimiter = character('as between two values');

const ndjson = section({
  type: z.literal('ndjson').describe('one JSON object a line'),
  compression,
  schema,
  ...badRecords,
  on_new_field: onNewField,
  on_type_mismatch: onTypeMismatch,
});

const csv = section({
  type: z.literal('csv').describe('RFC 4180'),
  compression,
  schema,
  ...badRecords,
  on_new_field: onNewField,
  on_type_mismatch: onTypeMismatch,
  delimiter: delimiter.prefault(',').describe('what stands between two values'),
  quote: character('as around a value')
    .prefault('"')
    .describe('what stands around a value that holds a delimiter; doubled inside'),
  header: flag().prefault(true).describe('whether the first line of each file names the columns'),
  columns: z
    .array(text('the name of a column'), { error: 'expected a list of column names' })
    .min(1, { error: 'names no column' })
    .optional()
    .register(z.globalRegistry, { title: 'list' })
    .describe('names of the columns in order, for files without a header; default: those of `schema`'),
  null_text: text()
    .optional()
    .describe('unquoted text that means null, such as `NA`; an unquoted empty value always does'),
  quoted_newlines: flag()
    .prefault(true)
    .describe(
      'whether a quoted value may hold line ends; `false` lets large files be read in pieces, and followed (`modified: append`)',
    ),
});

const textLines = section({
  type: z.literal('text').describe('each line is one string'),
  compression,
  column: text('the name of a column').prefault('line').describe('name of the one column'),
  ...badRecords,
});

/** Of files that say themselves which columns they have. */
const fileSchema = z
  .union([path(), fieldList], { error: 'expected infer, a list of {name, type, nullable}, or a path' })
  .register(z.globalRegistry, { title: 'infer, a list or a path' })
  .prefault('infer')
  .describe(
    '`infer` takes the columns that the files say they have; a list of {name, type, nullable}, or a path to one, chooses among them: no other column is read',
  );

const parquet = section({
  type: z.literal('parquet').describe('Apache Parquet, read by its footer; every codec and encoding in use'),
  schema: fileSchema,
  ...badRecords,
  on_new_field: ignoresNewFields,
});

const avro = section({
  type: z.literal('avro').describe('Avro object containers; blocks of null, deflate, snappy or zstandard'),
  compression,
  schema: fileSchema,
  ...badRecords,
  on_new_field: ignoresNewFields,
});

const arrow = section({
  type: z.literal('arrow').describe('Arrow IPC, the file and the stream form; buffers may be lz4 and zstd'),
  schema: fileSchema,
  ...badRecords,
  on_new_field: ignoresNewFields,
});

const json = section({
  type: z.literal('json').describe('one JSON array of objects a file, on any number of lines'),
  compression,
  schema,
  ...badRecords,
  on_new_field: ignoresNewFields,
});

const inputFormat = byType(
  [ndjson, csv, textLines, parquet, avro, arrow, json],
  ['ndjson', 'csv', 'text', 'parquet', 'avro', 'arrow', 'json'],
);

const globs = z
  .array(text('a glob'), { error: 'expected a list of globs' })
  .register(z.globalRegistry, { title: 'list of globs' });

export const sourceSection = section({
  path: z
    .union(
      [
        location(),
        z.array(location(), { error: 'expected a list of paths' }).min(1, { error: 'names no path' }),
      ],
      {
        error: 'expected a folder, a file, a glob, or a list of them',
      },
    )
    .register(z.globalRegistry, { title: 'path or list' })
    .describe('folder, file or glob to read, or a list of them'),
  include: globs
    .prefault([])
    .describe(
      'what of a folder is read, relative to it; default: every file. Names that begin with `.` or `_` never are',
    ),
  exclude: globs.prefault([]).describe('what of a folder is not read; wins over `include`'),
  recursive: flag().prefault(true).describe('whether folders below are read'),
  monitor_interval: duration(1).prefault('10s').describe('`run`: how often the source is listed'),
  watch: flag()
    .prefault(true)
    .describe(
      '`run`: whether a change that the system reports makes the next listing come sooner; the listing stays the truth',
    ),
  notifications: notificationsSection,
  min_age: duration(0, TEN_YEARS_MS)
    .prefault('0s')
    .describe(
      'how long a file must be unchanged before it is taken; better: write elsewhere, then rename in',
    ),
  modified: choice(['ignore', 'reread', 'append', 'fail'])
    .prefault('ignore')
    .describe(
      'a file that changes after it was taken: `ignore` warns, `reread` reads it again from the start, `append` reads what was added if the rest is unchanged, `fail` stops the job',
    ),
  on_replaced: choice(['read', 'ignore', 'fail'])
    .prefault('read')
    .describe(
      '`modified: append`, a file that was truncated or replaced: `read` reads it from its beginning, as a new file, and warns; `ignore` warns, `fail` stops the job',
    ),
  rotation: choice(['rename', 'copytruncate'])
    .prefault('rename')
    .describe(
      '`modified: append`, how logs are rotated: with `copytruncate` a file that begins with all that was taken of the one beside it (app.log.1 of app.log) is its copy and not a file of its own; renamed files are recognised either way',
    ),
  split_size: size(KIB)
    .prefault('64MiB')
    .describe('uncompressed files of one record a line are read in pieces of this size, in parallel'),
  max_record_size: size(KIB, GIB)
    .prefault('32MiB')
    .describe('a longer record is a bad record: see `on_bad_record`'),
  format: inputFormat.describe('how the files are read'),
  after_commit: z
    .union([choice(['keep', 'delete']), section({ move: path().describe('folder to move them to') })], {
      error: 'expected keep, delete or {move: <folder>}',
    })
    .register(z.globalRegistry, { title: 'keep, delete or {move: path}' })
    .prefault('keep')
    .describe(
      'what becomes of files once all their rows are visible: `delete`, or `{move: ./done}` under their relative paths',
    ),
  limits: section({
    files_per_checkpoint: integer(1, 1_000_000_000)
      .optional()
      .describe(
        'files taken between two checkpoints, at most; when they are read, the next one is taken at once',
      ),
    bytes_per_checkpoint: size(1)
      .optional()
      .describe('the same in bytes of files; a single larger file is still taken'),
    bytes_per_second: size(KIB)
      .optional()
      .describe('bytes read a second, whole job: leaves a shared machine or network to others'),
  })
    .prefault({})
    .describe('how much is read at a time; default: no limit'),
  lineage: z
    .array(choice(['file', 'offset', 'line', 'ingested_at', 'checkpoint']), {
      error: 'expected a list of file, offset, line, ingested_at, checkpoint',
    })
    .register(z.globalRegistry, { title: 'list' })
    .prefault([])
    .describe(
      'columns to add that tell where each row comes from: `file` (`_source_file`), `offset` (`_source_offset`), `line` (`_source_line`), `ingested_at` (`_ingested_at`), `checkpoint` (`_checkpoint`); see lineage.md',
    ),
});
