/** `sluice status`: how far a job is, from its state; works while it runs and after it died. */
import { type JobStatus, readStatus } from '../../commit/status.ts';
import type { CommandContext } from '../commands.ts';
import type { Style } from '../style.ts';
import { renderCheckpoint } from './checkpoint-view.ts';
import { loadJob } from './load-job.ts';

export async function status(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const found = await readStatus(job, fileSystem, io.clock);
  if (output.json) output.document(found);
  else output.answer(renderStatus(found, output.style));
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
