/** `sluice status`: how far a job is, from its state; works while it runs and after it died. */
import { CheckpointStore } from '../../commit/checkpoint-store.ts';
import { type JobStatus, readStatus } from '../../commit/status.ts';
import { schemaYaml } from '../../config/print-job.ts';
import { rawSchema } from '../../config/raw-schema.ts';
import { formatDataType, type Schema } from '../../core/data-type.ts';
import { describeChange, type SchemaVersion } from '../../core/schema-change.ts';
import type { CommandContext } from '../commands.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import { renderCheckpoint } from './checkpoint-view.ts';
import { loadJob } from './load-job.ts';

export async function status(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const found = await readStatus(job, fileSystem, io.clock);
  if (output.json) output.document(found);
  else output.answer(renderStatus(found, output.style));
}

/** `sluice status --schema`: the source's schema and the lake's columns, and each step that led to them. */
export async function schemaStatus(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const newest = await new CheckpointStore(fileSystem, job.statePath).load();
  const schema = newest?.schema ?? null;
  const history = newest?.schemaHistory ?? [];
  const columns = newest?.columns ?? null;
  if (output.json) {
    const written = columns ?? { schema, history };
    const raw = (each: Schema | null) => (each === null ? null : rawSchema(each));
    const lake = { schema: raw(written.schema), history: written.history };
    output.document({ job: job.name, schema: raw(schema), history, lake });
    return;
  }
  if (schema === null) {
    output.answer(`${job.name}: no schema yet`);
    return;
  }
  output.text(schemaYaml(schema));
  if (columns === null) {
    printHistory(history, output);
    return;
  }
  output.answer('read from the source, as above');
  printHistory(history, output);
  output.answer('\nwritten to the lake');
  for (const { name, type, nullable } of columns.schema.fields)
    output.answer(`  ${printable(name)} ${formatDataType(type)}${nullable ? '' : ' not null'}`);
  printHistory(columns.history, output);
}

function printHistory(history: readonly SchemaVersion[], output: Output): void {
  for (const { version, checkpoint, createdMs, changes, cause } of history) {
    const heading = output.style.bold(`version ${version}`);
    const because = cause === null ? '' : `, because of ${cause}`;
    output.answer(`${heading} ${new Date(createdMs).toISOString()}, checkpoint ${checkpoint}${because}`);
    for (const change of changes) output.answer(`  ${printable(describeChange(change))}`);
  }
}

export function renderStatus(found: JobStatus, style: Style): string {
  const heading = `${style.bold(found.job)} ${runningText(found, style)}\n${style.dim('state'.padEnd(12))}${found.state}`;
  return found.checkpoint === null
    ? `${heading}\nnever started: there is no checkpoint yet`
    : `${heading}\n${renderCheckpoint(found.checkpoint, style)}`;
}

function runningText({ running, checkpoint }: JobStatus, style: Style): string {
  if (running === null) return checkpoint === null ? '' : style.dim('not running');
  if (running === 'unknown') return style.dim('(state in an object store: whether it runs is not known)');
  return running.processId === null
    ? style.yellow('running: the process does not answer (stopped?)')
    : style.green(`running: process ${running.processId} on ${running.host}`);
}
