import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Candidate, OutputFormat } from './candidate.ts';
import { type Events, eventTypes } from './web-events.ts';

export interface SluiceOptions {
  readonly parallelism: number;
  readonly output: OutputFormat;
  /** Columns declared in the job; otherwise inferred. */
  readonly declared: boolean;
  readonly versus: string | null;
  readonly memory?: string;
  readonly checkpointInterval?: string;
  /** Folder for CPU profiles; null: none. */
  readonly profiles: string | null;
  readonly label?: string;
  /** More than one: in one process, warm, without starting; the first time does not count. */
  readonly runs?: number;
}

const IN_PROCESS = fileURLToPath(new URL('in-process-run.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const MAIN = fileURLToPath(new URL('../../dist/lib/cli/main.cjs', import.meta.url));

/** `sluice backfill` of a job that it has never seen before, as a user starts it. */
export function sluice(options: SluiceOptions): Candidate {
  const { parallelism, declared, versus, profiles, runs = 1 } = options;
  const usual = `sluice, ${parallelism}, ${declared ? 'declared' : 'inferred'}`;
  return {
    name: options.label ?? `${usual}${runs > 1 ? ', in process' : ''}`,
    versus,
    async prepare(folder, input) {
      const job = path.join(folder, 'job.yaml');
      await mkdir(path.join(folder, 'empty'), { recursive: true });
      await writeFile(job, jobFile(options, input));
      const profile = profiles === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles];
      if (runs > 1) return [...profile, '--import', TSX, IN_PROCESS, job, String(runs)];
      return [...profile, MAIN, 'backfill', job, '--json', '--timings', '--quiet'];
    },
  };
}

function jobFile(options: SluiceOptions, input: Events | null): string {
  const { parallelism, output, declared, memory = '256MiB', checkpointInterval = '10s' } = options;
  const format = input?.format ?? 'ndjson';
  const types = Object.entries(input === null ? { ts: 'timestamp(ms)' } : eventTypes(input)).map(
    ([name, type]) => `{name: ${name}, type: '${type}'}`,
  );
  // One line a section: what is compared with DuckDB's one statement should not be longer to read.
  return `version: 1
job: bench
parallelism: ${parallelism}
memory: ${memory}
checkpoint: { interval: ${checkpointInterval} }
source:
  path: ${input?.folder ?? './empty'}
  format: { type: ${format}, schema: ${declared ? `[${types.join(', ')}]` : 'infer'} }
event_time: { field: ts }
sink:
  path: ./lake
  format: { type: ${output} }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { part_size: 1GiB, rollover_interval: 1h, inactivity_interval: 1h }
`;
}
