/** `npm run bench [name...] -- [--repeat N] [--rows N] [--most N] [--only TEXT] [--profile] [--list]`, see docs/performance.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCHES, type Bench } from './benches.ts';
import type { Candidate } from './candidate.ts';
import { GROWTHS, type Growth } from './growth.ts';
import { checkLake, lakeSize } from './lake-check.ts';
import { measureProcess } from './measured-process.ts';
import { growthPlot } from './plot.ts';
import { type Figures, formatStages, formatTable, less, type Run, summarise } from './report.ts';
import { emptyRunFolder, makeRunFolder } from './run-folders.ts';
import { sluice } from './sluice-candidate.ts';
import { inTurns } from './turns.ts';
import { type Events, webEvents } from './web-events.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '3' },
    rows: { type: 'string' },
    keys: { type: 'string', default: '100000' },
    most: { type: 'string' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

// Object stores need a server, and other figures than a lake on the local disk.
if (names.includes('s3')) {
  const { benchS3 } = await import('./s3.ts');
  const result = await benchS3(
    rowsOf(4_000_000),
    positiveInteger(options.repeat, '--repeat'),
    positiveInteger(options.keys, '--keys'),
  );
  if (result.figures.length > 0) await writeResult({ name: 's3' }, result);
  process.exit(0);
}

// Files, and no rows.
if (names.includes('discovery')) {
  const { benchDiscovery } = await import('./discovery.ts');
  await benchDiscovery(mostOf(), RESULTS);
  process.exit(0);
}

// No process and no input: a simulation.
if (names.includes('day')) {
  const { benchDay } = await import('./day.ts');
  await benchDay(RESULTS);
  process.exit(0);
}

const chosen = (names.length === 0 ? ['parquet-1m', 'pass-through'] : names).map((name) => {
  const bench = [...BENCHES, ...GROWTHS].find((each) => each.name === name);
  if (bench === undefined) throw new Error(`no benchmark '${name}': --list names them`);
  return bench;
});

if (options.list) {
  const others = [
    {
      name: 'discovery',
      about: 'finding files: scans, memory and checkpoints over 10,000 to 1,000,000 files',
    },
    { name: 'day', about: 'a simulated day of small files' },
    { name: 's3', about: 'into an object store, next to a plain upload' },
  ];
  for (const { name, about } of [...BENCHES, ...GROWTHS, ...others])
    console.log(`${name.padEnd(16)} ${about}`);
} else {
  const repeat = positiveInteger(options.repeat, '--repeat');
  for (const bench of chosen) {
    if ('points' in bench) await runGrowth(bench, repeat);
    else await runBench(bench, repeat);
  }
}

async function runBench(bench: Bench, repeat: number): Promise<void> {
  const shape = bench.input;
  const input = shape === null ? null : await webEvents({ ...shape, rows: rowsOf(shape.rows) });
  const beyond = bench.beyond === undefined ? null : await webEvents(bench.beyond);
  const measured = input === null ? null : difference(input, beyond);
  const mb = measured === null ? '' : `, ${(measured.sizeBytes / 1e6).toFixed(0)} MB`;
  console.log(`\n${bench.name}: ${bench.about} (${measured?.rows ?? 0} rows${mb})`);
  const profiles = options.profile ? path.join(RESULTS, 'profiles', bench.name) : null;
  const candidates = bench.candidates(profiles).filter(({ name }) => name.includes(options.only));
  const runs = new Map<Candidate, Run[]>(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round < repeat; round++) {
    for (const candidate of inTurns(candidates, round)) {
      showProgress(`round ${round + 1} of ${repeat}: ${candidate.name}`);
      const run = await runOnce(bench, candidate, input);
      runs.get(candidate)?.push(beyond === null ? run : less(run, await runOnce(bench, candidate, beyond)));
    }
  }
  showProgress('');
  const figures = summarise(runs, measured?.sizeBytes ?? null);
  console.log(formatTable(figures));
  const stages = formatStages(figures);
  if (stages !== null) console.log(stages);
  await writeResult(bench, { input: measured, figures });
}

function difference(input: Events, beyond: Events | null): Events {
  if (beyond === null) return input;
  if (input.rows <= beyond.rows) throw new Error(`--rows has to be more than ${beyond.rows} here`);
  return { ...input, rows: input.rows - beyond.rows, sizeBytes: input.sizeBytes - beyond.sizeBytes };
}

/** The same job over inputs that grow in one thing; a result with a point each, and the plot of all growths anew. */
async function runGrowth(growth: Growth, repeat: number): Promise<void> {
  console.log(`\n${growth.name}: ${growth.about}`);
  const candidate = sluice({
    parallelism: 1,
    output: 'parquet',
    declared: true,
    versus: null,
    profiles: null,
  });
  const points: { readonly x: number; readonly rows: number; readonly figures: Figures }[] = [];
  const most = mostOf();
  for (const { x, input: shape } of growth.points.filter((point) => point.x <= most)) {
    const input = await webEvents(shape);
    const runs: Run[] = [];
    for (let round = 0; round < repeat; round++) {
      showProgress(`${growth.of} ${x}: round ${round + 1} of ${repeat}`);
      runs.push(await runOnce({ ...growth, output: 'parquet' }, candidate, input));
    }
    const [figures] = summarise(new Map([[candidate, runs]]), input.sizeBytes);
    points.push({
      x,
      rows: input.rows,
      figures: { ...figures!, candidate: `${x.toLocaleString('en')} ${growth.of}` },
    });
  }
  showProgress('');
  console.log(formatTable(points.map(({ figures }) => figures)));
  await writeResult(growth, { of: growth.of, points });
  await writeFile(path.join(RESULTS, 'growth.svg'), await growthPlot(RESULTS));
}

async function runOnce(
  bench: Pick<Bench, 'output'>,
  candidate: Candidate,
  input: Events | null,
): Promise<Run> {
  const folder = await makeRunFolder();
  try {
    const args = await candidate.prepare(folder, input);
    const { wallSeconds, cpuSeconds, peakRssBytes, stages } = await measureProcess(
      args,
      folder,
      candidate.program,
    );
    const lake = path.join(folder, 'lake');
    if (input !== null && candidate.makesLake !== false) await checkLake(lake, bench.output, input);
    const { files, sizeBytes } = input === null ? { files: 0, sizeBytes: 0 } : await lakeSize(lake);
    return { wallSeconds, cpuSeconds, peakRssBytes, files, outputBytes: sizeBytes, stages };
  } finally {
    await emptyRunFolder(folder);
  }
}

async function writeResult(bench: { readonly name: string }, result: object): Promise<void> {
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    load: loadavg()[0],
  };
  const file = path.join(RESULTS, `${bench.name}-node${process.versions.node.split('.')[0]}.json`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(file, `${JSON.stringify({ bench: bench.name, machine, ...result }, null, 2)}\n`);
  console.log(`Node ${process.version}, ${machine.cores} cores, ${machine.cpu}; ${path.relative('', file)}`);
}

/** One line that the next one overwrites; nothing where nobody watches. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(76)}\r`);
}

function rowsOf(rows: number): number {
  return options.rows === undefined ? rows : positiveInteger(options.rows, '--rows');
}

/** Of what grows, no more than this: to try a benchmark out. */
function mostOf(): number {
  return options.most === undefined ? Number.POSITIVE_INFINITY : positiveInteger(options.most, '--most');
}

function positiveInteger(text: string, option: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${option} wants a whole number, not '${text}'`);
  return value;
}
