/** The keys of a job file: the one place that validation, the JSON Schema and the manual are made from. */
import * as z from 'zod';
import { MAX_PARALLELISM, MIN_MEMORY_BYTES, TEN_YEARS_MS } from './bounds.ts';
import { choice, duration, integer, location, matching, section, size, text } from './options.ts';
import { quarantineSection } from './quarantine-section.ts';
import { s3Section } from './s3-section.ts';
import { sinkSection } from './sink-section.ts';
import { sourceSection } from './source-section.ts';
import { transformSection } from './transform-section.ts';

const checkpoint = section({
  interval: duration(1)
    .prefault('10s')
    .describe('how often progress is made safe and finished parts become visible'),
  retain: integer(1, 1000).prefault(3).describe('how many checkpoints are kept'),
});

const eventTime = section({
  field: text('the name of a column').describe(
    'column with the time of the row: a timestamp, a date, ISO 8601 text or a number',
  ),
  unit: choice(['s', 'ms', 'us', 'ns']).prefault('ms').describe('what a number counts since 1970'),
  max_out_of_orderness: duration(0, TEN_YEARS_MS)
    .prefault('0s')
    .describe(
      'how much older than the newest row before it in its file a row may be; the watermark stays so far behind',
    ),
  idle_timeout: duration(1)
    .optional()
    .describe(
      'a file that gives no rows for so long holds the watermark back no more; default: it does until it is read',
    ),
  late: choice(['keep', 'drop', 'quarantine'])
    .prefault('keep')
    .describe(
      'rows of a bucket whose time is over by the watermark: `keep` writes them like the others (and commits the partition again), `drop` counts them and leaves them out, `quarantine` keeps them there, for `sluice replay` to bring them in',
    ),
  allowed_lateness: duration(0, TEN_YEARS_MS)
    .prefault('0s')
    .describe('how long after the end of its bucket a row is not late yet'),
});

export const jobDefinition = section({
  version: z
    .union([z.literal(1), z.literal('1')], { error: 'expected 1' })
    .register(z.globalRegistry, { title: '1' })
    .describe('version of this format'),
  job: matching(/^[a-z0-9](?:[a-z0-9-]{0,62})$/, 'a name of a-z, 0-9 and -, at most 63 characters').describe(
    'name of the job: names its state and its lock',
  ),
  state: location()
    .prefault('./state')
    .describe('folder for checkpoints; the job makes a folder of its name in it'),
  parallelism: integer(1, MAX_PARALLELISM)
    .optional()
    .describe('subtasks that read and write in parallel; default: available cores'),
  memory: size(MIN_MEMORY_BYTES).prefault('256MiB').describe('budget for buffered rows, whole job'),
  checkpoint: checkpoint.prefault({}).describe('how progress is kept'),
  shutdown_timeout: duration(1)
    .prefault('30s')
    .describe('how long a stop by a signal may take to finish its last checkpoint'),
  source: sourceSection.describe('what is read'),
  transform: transformSection
    .prefault([])
    .describe('what happens to rows between reading and writing, step by step; see transforms.md'),
  event_time: eventTime
    .optional()
    .describe('where the time of a row comes from; needed for `bucket.time: event`'),
  sink: sinkSection.describe('what is written'),
  quarantine: quarantineSection
    .optional()
    .describe('where records go that do not fit; needed for `on_bad_record: quarantine`'),
  s3: s3Section
    .prefault({})
    .describe(
      'how object stores are reached, for every s3:// path; credentials come from the environment, never from here',
    ),
});

/** What a job file may hold. */
export type RawJob = z.input<typeof jobDefinition>;
/** The same, checked, with defaults, bytes and milliseconds. */
export type ValidatedJob = z.output<typeof jobDefinition>;
