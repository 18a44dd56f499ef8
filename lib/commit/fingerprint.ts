/**
 * What of a job file is fixed as long as its state lives: where the rows come from and where they go, in which format
 * and folders. Everything else (parallelism, memory, intervals, rolling, globs ...) may change at any start.
 */
import type { CompiledJob } from '../config/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { JobFingerprint } from './checkpoint.ts';

export function jobFingerprint(job: CompiledJob): JobFingerprint {
  const { source, sink } = job;
  const { compression: _any, ...sourceFormat } = source.format;
  const { compression, type } = sink.format;
  return {
    'source.path': JSON.stringify(source.paths),
    'source.format': JSON.stringify(sourceFormat),
    'source.format.schema': JSON.stringify(source.schema),
    event_time: JSON.stringify(job.eventTime),
    'sink.path': JSON.stringify(sink.path),
    'sink.format': JSON.stringify({ type, compression }),
    'sink.bucket': JSON.stringify(sink.bucket),
    'sink.part.suffix': JSON.stringify(sink.partSuffix),
  };
}

/** @throws SluiceError JOB_MISMATCH naming each section that differs, with both values */
export function proveJobFits(state: JobFingerprint, job: JobFingerprint, statePath: string): void {
  const differing = Object.keys({ ...state, ...job }).filter((section) => state[section] !== job[section]);
  if (differing.length === 0) return;
  const lines = differing.map(
    (section) => `${section} was ${state[section] ?? 'absent'} and is ${job[section] ?? 'absent'}`,
  );
  throw new SluiceError(
    'JOB_MISMATCH',
    `the job file no longer fits the state in ${statePath}: ${lines.join('; ')}`,
    {
      hint: 'go back to the old values, or give the changed job another name (and so another state)',
      details: { sections: differing },
    },
  );
}
