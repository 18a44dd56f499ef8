/** `sluice plan`: a dry run. */
import { type JobPlan, planJob } from '../../pipeline/plan-job.ts';
import type { FilePlan } from '../../source/source-plan.ts';
import type { CommandContext, PlanCommandOptions } from '../commands.ts';
import { counted, humanBytes, humanCount } from '../human.ts';
import type { Style } from '../style.ts';
import { renderTable } from '../table.ts';
import { loadJob } from './load-job.ts';

/** Files that people are shown: the first to be read, and the first of each reason to be passed over. */
const SHOWN_READ = 20;
const SHOWN_SKIPPED = 5;

export async function plan(
  file: string,
  options: PlanCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const shown = new ShownFiles();
  const planned = await planJob(job, fileSystem, io.clock, {
    explain: options.explain === true,
    // A line a file, so that a million of them need no memory.
    onFile: (each) => (output.json ? output.document({ type: 'file', ...each }) : shown.add(each)),
  });
  if (output.json) output.document({ type: 'plan', ...documentOf(planned) });
  else output.answer(render(planned, shown, output.style));
}

function documentOf({ checkpointId, totals, buckets }: JobPlan): object {
  return {
    checkpoint: checkpointId,
    ...totals,
    sample:
      buckets === null
        ? null
        : { ...buckets, byBucket: undefined, buckets: Object.fromEntries(buckets.byBucket) },
  };
}

class ShownFiles {
  readonly read: Exclude<FilePlan, { action: 'skip' }>[] = [];
  readonly skipped = new Map<string, { count: number; first: Extract<FilePlan, { action: 'skip' }>[] }>();

  add(file: FilePlan): void {
    if (file.action !== 'skip') {
      if (this.read.length < SHOWN_READ) this.read.push(file);
      return;
    }
    const group = this.skipped.get(file.reason) ?? { count: 0, first: [] };
    group.count++;
    if (group.first.length < SHOWN_SKIPPED) group.first.push(file);
    this.skipped.set(file.reason, group);
  }
}

function render({ checkpointId, totals, buckets }: JobPlan, shown: ShownFiles, style: Style): string {
  const from = checkpointId === null ? 'the job never started' : `going on from checkpoint ${checkpointId}`;
  const parts = [
    `${style.bold(`${counted(totals.files, 'file')} to read`)}: ${humanBytes(totals.bytes)} in ${counted(totals.splits, 'split')} ${style.dim(`(${from})`)}`,
  ];
  if (shown.read.length > 0) {
    const columns = [
      { title: 'file' },
      { title: 'bytes', align: 'right' },
      { title: 'splits', align: 'right' },
      { title: '' },
    ] as const;
    const rows = shown.read.map(({ path, bytes, splits, action, from_byte }) => [
      path,
      humanBytes(bytes),
      humanCount(splits),
      action === 'resume'
        ? `goes on at byte ${humanCount(from_byte)}`
        : from_byte > 0
          ? `from byte ${humanCount(from_byte)}`
          : '',
    ]);
    parts.push(renderTable(columns, rows));
    const more = totals.files - shown.read.length;
    if (more > 0) parts.push(`... and ${humanCount(more)} more`);
  }
  for (const [reason, { count, first }] of shown.skipped) {
    parts.push(`${style.bold(counted(count, 'file'))} passed over: ${reason.replace('_', ' ')}`);
    parts.push(
      renderTable(
        [{ title: 'file' }, { title: 'why' }],
        first.map(({ path, why }) => [path, why]),
      ),
    );
    if (count > first.length) parts.push(`... and ${humanCount(count - first.length)} more`);
  }
  if (buckets !== null && buckets.rows > 0) {
    const rejected = buckets.rejected === 0 ? '' : `; ${counted(buckets.rejected, 'record')} would not fit`;
    parts.push(
      `${style.bold(counted(buckets.byBucket.length, 'bucket'))} for a sample of ${counted(buckets.rows, 'row')} of ${counted(buckets.files, 'file')}${rejected}`,
    );
    const rows = buckets.byBucket.map(([id, count]) => [id === '' ? '(base path)' : id, humanCount(count)]);
    parts.push(renderTable([{ title: 'bucket' }, { title: 'rows', align: 'right' }], rows));
  }
  if (buckets !== null && buckets.unreadable.length > 0) {
    parts.push(
      `${style.bold(counted(buckets.unreadable.length, 'file'))} of the sample cannot be read as the job says`,
    );
    const rows = buckets.unreadable.map(({ path, why }) => [path, why]);
    parts.push(renderTable([{ title: 'file' }, { title: 'why' }], rows));
  }
  return parts.join('\n');
}
