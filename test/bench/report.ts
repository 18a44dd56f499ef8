/** Runs into figures, figures into one table. */
import Table from 'cli-table3';
import type { Candidate } from './candidate.ts';

export interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly files: number;
  readonly outputBytes: number;
  /** Milliseconds by stage, where the candidate tells them. */
  readonly stages: Readonly<Record<string, number>> | null;
}

/** Medians over the runs of one candidate; speeds in MB (10^6 bytes) of input. */
export interface Figures extends Run {
  readonly candidate: string;
  readonly versus: string | null;
  readonly runs: number;
  readonly mbPerSecond: number | null;
  readonly mbPerCpuSecond: number | null;
  /** How many times as fast as `versus`, by the clock and by CPU time. */
  readonly speedup: number | null;
  readonly cpuSpeedup: number | null;
}

export function summarise(
  runs: ReadonlyMap<Candidate, readonly Run[]>,
  inputBytes: number | null,
): readonly Figures[] {
  const medians = new Map<string, Run>();
  for (const [{ name }, each] of runs) if (each.length > 0) medians.set(name, medianRun(each));
  return [...runs].flatMap(([{ name, versus }, each]) => {
    const run = medians.get(name);
    if (run === undefined) return [];
    const reference = versus === null ? undefined : medians.get(versus);
    const perSecond = (seconds: number) => (inputBytes === null ? null : inputBytes / 1e6 / seconds);
    return {
      candidate: name,
      versus,
      runs: each.length,
      ...run,
      mbPerSecond: perSecond(run.wallSeconds),
      mbPerCpuSecond: perSecond(run.cpuSeconds),
      speedup: reference === undefined ? null : reference.wallSeconds / run.wallSeconds,
      cpuSpeedup: reference === undefined ? null : reference.cpuSeconds / run.cpuSeconds,
    };
  });
}

/** What a run took beyond another one over less input: in steady state, without starting and without compiling. */
export function less(run: Run, smaller: Run): Run {
  return {
    ...run,
    wallSeconds: run.wallSeconds - smaller.wallSeconds,
    cpuSeconds: run.cpuSeconds - smaller.cpuSeconds,
    outputBytes: run.outputBytes - smaller.outputBytes,
    stages: null,
  };
}

export function formatTable(figures: readonly Figures[]): string {
  const right = 'right' as const;
  const table = new Table({
    head: ['', 'wall s', 'CPU s', 'MB/s', 'MB/CPU s', 'RSS MB', 'files', 'out MB', 'x wall', 'x CPU', 'x of'],
    colAligns: ['left', right, right, right, right, right, right, right, right, right, 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const each of figures) {
    table.push([
      each.candidate,
      each.wallSeconds.toFixed(2),
      each.cpuSeconds.toFixed(2),
      rounded(each.mbPerSecond),
      rounded(each.mbPerCpuSecond),
      rounded(each.peakRssBytes / 1e6),
      String(each.files),
      (each.outputBytes / 1e6).toFixed(1),
      each.speedup === null ? '' : `${each.speedup.toFixed(2)}x`,
      each.cpuSpeedup === null ? '' : `${each.cpuSpeedup.toFixed(2)}x`,
      each.speedup === null ? '' : (each.versus ?? ''),
    ]);
  }
  return table.toString();
}

function medianRun(runs: readonly Run[]): Run {
  const median = (value: (run: Run) => number): number => {
    const sorted = runs.map(value).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  };
  return {
    wallSeconds: median((run) => run.wallSeconds),
    cpuSeconds: median((run) => run.cpuSeconds),
    peakRssBytes: median((run) => run.peakRssBytes),
    files: median((run) => run.files),
    outputBytes: median((run) => run.outputBytes),
    stages: medianStages(runs),
  };
}

function rounded(value: number | null): string {
  return value === null ? '' : value.toFixed(0);
}

function medianStages(runs: readonly Run[]): Run['stages'] {
  const timed = runs.flatMap(({ stages }) => (stages === null ? [] : [stages]));
  if (timed.length === 0) return null;
  // Of one run, so that they add up: the one in the middle.
  const total = (stages: Readonly<Record<string, number>>) =>
    Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return timed.sort((a, b) => total(a) - total(b))[timed.length >> 1]!;
}

/** Where the time went, in milliseconds; null where no candidate says. */
export function formatStages(figures: readonly Figures[]): string | null {
  const timed = figures.filter(({ stages }) => stages !== null);
  if (timed.length === 0) return null;
  const names = Object.keys(timed[0]!.stages!);
  const table = new Table({
    head: ['ms by stage, all subtasks', ...names],
    colAligns: ['left', ...names.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { candidate, stages } of timed)
    table.push([candidate, ...names.map((name) => stages![name]!.toFixed(0))]);
  return table.toString();
}
