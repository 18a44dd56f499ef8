/** `sluice compact`: small parts into large ones, while the job does not run. */
import { compactJob } from '../../compaction/compact-job.ts';
import type { SluiceError } from '../../core/errors.ts';
import { killAtFailpoint } from '../../core/failpoint.ts';
import type { CommandContext } from '../commands.ts';
import { counted, humanBytes } from '../human.ts';
import { statusOf } from '../io.ts';
import { FAILPOINT_VARIABLE } from '../threads.ts';
import { loadJob } from './load-job.ts';

export async function compact(file: string, { io, output }: CommandContext): Promise<void> {
  const { job } = await loadJob(file, io);
  const failpoint = io.environment[FAILPOINT_VARIABLE] ?? '';
  if (failpoint !== '') killAtFailpoint(failpoint);
  const stopping = new AbortController();
  const releaseSignals = io.onSignal((signal) => {
    if (stopping.signal.aborted) io.exit(statusOf(signal));
    output.note(`stopping (${signal}) after the part that is being written; a second signal stops at once`);
    stopping.abort();
  });
  let failure: SluiceError | null = null;
  try {
    const summary = await compactJob(job, {
      clock: io.clock,
      ids: io.ids,
      signal: stopping.signal,
      onWarning: (message) => output.warning(message),
      onFailed: (error) => {
        failure ??= error;
      },
    });
    if (output.json) output.document({ job: job.name, ...summary });
    const { merged_parts, into_parts, bytes_out } = summary;
    output.note(
      `${job.name}: ${counted(merged_parts, 'part')} merged into ${counted(into_parts, 'part')} (${humanBytes(bytes_out)})`,
    );
  } finally {
    releaseSignals();
  }
  // After the sum: what could be merged is.
  if (failure !== null) throw failure;
}
