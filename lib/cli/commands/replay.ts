/** `sluice replay`: quarantined records through the present job once more. */
import { replayJob } from '../../pipeline/replay.ts';
import type { CommandContext } from '../commands.ts';
import { counted } from '../human.ts';
import { loadJob } from './load-job.ts';
import { documentOf, runUntilStopped } from './run.ts';

export async function replay(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const summary = await runUntilStopped(job, 'once', io, output, (options) =>
    replayJob(job, fileSystem, options),
  );
  const { parts_replayed, incomplete, rows, quarantined } = summary;
  if (output.json) output.document({ ...documentOf(summary, false), parts_replayed, incomplete });
  const what = `${counted(parts_replayed, 'quarantine part')} replayed`;
  const left = incomplete === 0 ? '' : `; ${counted(incomplete, 'record')} kept in part only, left out`;
  output.note(
    `${job.name}: ${what}: ${counted(rows, 'row')}, ${counted(quarantined, 'record')} quarantined again${left}`,
  );
}
