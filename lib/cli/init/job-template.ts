/** A commented job file for a folder of data. */

import { escapeReferences } from '../../config/environment.ts';
import { formatDataType } from '../../core/data-type.ts';
import { counted, humanBytes } from '../human.ts';
import type { DataFolder } from './data-folder.ts';
import { type EventTimeGuess, guessEventTime } from './guess-event-time.ts';
import type { FormatGuess } from './guess-format.ts';

export interface TemplatePaths {
  /** What the job file is called. */
  readonly file: string;
  /** Relative to the job file, as those that follow. */
  readonly data: string;
  readonly state: string;
  readonly lake: string;
}

/** Columns that are listed in a comment. */
const MAX_LISTED = 30;

export function jobTemplate(name: string, paths: TemplatePaths, data: DataFolder): string {
  const [eventTime, ...others] = data.schema === null ? [] : guessEventTime(data.schema, data.rows);
  const include = data.extensions.map((extension) => quoted(`**/*${extension}`)).join(', ');
  const file = quoted(paths.file);
  return `# Reads ${counted(data.files, 'file')} (${humanBytes(data.bytes)}${data.more ? ', and more' : ''}) of ${data.format.type}.
#
#   sluice check ${file}       what this job would do
#   sluice backfill ${file}    move what is there, and end
#   sluice run ${file}         move what comes, until stopped
#
# Every key with its default: docs/job-file.md
version: 1
job: ${quoted(jobName(name))}
state: ${quoted(paths.state)}                 # progress; keep it as long as you keep the lake
# parallelism: 2                  # default: available cores
# memory: 256MiB                  # for buffered rows
checkpoint: { interval: 10s }     # how soon rows become visible, at the earliest
source:
  path: ${quoted(paths.data)}
${include === '' ? `  exclude: [${quoted(`${baseOf(paths.lake)}/**`)}, ${quoted(`${baseOf(paths.state)}/**`)}]` : `  include: [${include}]`}${otherFiles(data)}
  monitor_interval: 10s           # how often \`run\` looks for new files
${formatSection(data.format)}
${schemaComment(data)}${eventTimeSection(eventTime, others)}
sink:
  path: ${quoted(paths.lake)}
  format: { type: parquet, compression: snappy }
${bucketSection(eventTime)}
  rolling: { part_size: 128MiB, rollover_interval: 60s, inactivity_interval: 60s }
`;
}

function otherFiles({ otherFiles: count }: DataFolder): string {
  return count === 0 ? '' : ` # ${counted(count, 'file')} with other endings stay out`;
}

function formatSection(format: FormatGuess): string {
  const lines = ['  format:', `    type: ${format.type}`];
  if (format.type === 'csv') {
    if (format.delimiter !== ',') lines.push(`    delimiter: ${quoted(format.delimiter)}`);
    if (!format.header) {
      lines.push('    header: false');
      lines.push(
        `    columns: [${(format.columns ?? []).map(quoted).join(', ')}]   # give them better names`,
      );
    }
    lines.push(
      '    # quoted_newlines: false    # if no value holds a line end: large files are then read in parallel',
    );
  }
  if (format.type === 'text') lines.push('    column: line');
  lines.push('    on_bad_record: fail         # or skip');
  return lines.join('\n');
}

function schemaComment({ schema, format }: DataFolder): string {
  if (schema === null || format.type === 'text') return '';
  const fields = schema.fields.slice(0, MAX_LISTED);
  const lines = fields.map(
    ({ name, type }) => `    #   - { name: ${quoted(name)}, type: ${quoted(formatDataType(type))} }`,
  );
  if (schema.fields.length > MAX_LISTED) lines.push(`    #   ... ${schema.fields.length - MAX_LISTED} more`);
  return `    schema: infer               # at the first start, and then fixed; or as a list:\n${lines.join('\n')}\n`;
}

function eventTimeSection(guess: EventTimeGuess | undefined, others: readonly EventTimeGuess[]): string {
  if (guess === undefined)
    return '# event_time: { field: ts }       # no column was found that looks like a time';
  const unit = guess.unit === null ? '' : `, unit: ${guess.unit}`;
  const also =
    others.length === 0
      ? ''
      : `   # or: ${others
          .slice(0, 5)
          .map(({ field }) => JSON.stringify(field))
          .join(', ')}`;
  return `event_time: { field: ${quoted(guess.field)}${unit} }${also}`;
}

function bucketSection(guess: EventTimeGuess | undefined): string {
  return guess === undefined
    ? `  bucket: { type: datetime, time: processing, pattern: "'dt='yyyy-MM-dd" }   # a folder for each day of writing`
    : `  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd" }   # a folder for each day of the rows`;
}

/** A name that a job may have, from any text. */
export function jobName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'job' : name;
}

/** Any text as a YAML scalar, in quotes where it needs them. JSON's strings are YAML's. */
function quoted(text: string): string {
  const escaped = escapeReferences(text);
  return /^(?:\.{0,2}\/|[A-Za-z])[A-Za-z0-9_./-]*$/.test(escaped) && !/^(?:true|false|null)$/i.test(escaped)
    ? escaped
    : JSON.stringify(escaped);
}

function baseOf(path: string): string {
  return path.replace(/^(?:\.{1,2}\/)+/, '');
}
