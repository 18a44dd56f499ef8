/** `npm start`: a million real flights into a lake, and a look at what came out. `-- --fresh` begins anew. */
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { dropFlights } from './flights.ts';
import { type Answer, rowsPerBucket } from './rows-per-bucket.ts';
import { formatTree, visibleFiles } from './tree.ts';

const MAIN = fileURLToPath(new URL('../../../dist/lib/cli/main.cjs', import.meta.url));
const FOLDER = path.resolve('demo-lake');
const LAKE = path.join(FOLDER, 'lake/flights');
const JOB = path.join(FOLDER, 'job.yaml');

const JOB_FILE = `# Made by npm start.
version: 1
job: flights
state: ./state
checkpoint: { interval: 1s }
source:
  path: ./incoming
  include: ['*.ndjson']
  monitor_interval: 2s
  format: { type: ndjson }         # the schema is inferred at the first start and then kept
event_time: { field: date }
sink:
  path: ./lake/flights
  format: { type: parquet, compression: snappy }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd" }
`;

const { values: options } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });
if (options.fresh) await rm(FOLDER, { recursive: true, force: true });

headline(`1. Files arrive in ${shown(path.join(FOLDER, 'incoming'))}`);
const input = await dropFlights(path.join(FOLDER, 'incoming'));
console.log(
  `  ${input.files} NDJSON files, ${input.rows.toLocaleString('en')} flights of 2001, ${megabytes(input.sizeBytes)}`,
);

headline(`2. sluice backfill ${shown(JOB)}`);
await mkdir(FOLDER, { recursive: true });
await writeFile(JOB, JOB_FILE);
const before = await visibleFiles(LAKE);
await backfill();
const lake = await visibleFiles(LAKE);
if (before.files.size > 0) {
  console.log(
    sameFiles(before.files, lake.files)
      ? '  The lake was there from an earlier start, and there was nothing new: not one byte of it changed.'
      : `  The lake was there from an earlier start: ${lake.files.size - before.files.size} parts are new.`,
  );
}

headline(`3. What came out: ${lake.files.size} parts, ${megabytes(lake.sizeBytes)}`);
console.log(`  ${shown(LAKE)}\n${formatTree(lake.files)}`);

const answer = await rowsPerBucket(LAKE, lake.files.keys());
headline(`4. A query over it by ${answer.by}, which never heard of sluice`);
console.log(indent(answer.query));
console.log(indent(formatAnswer(answer)));
if (before.files.size === 0) await showSecondBackfill();

headline('What to try next');
console.log(`  node dist/lib/cli/main.cjs run ${shown(JOB)}      the same job as a daemon; in a second terminal:
    head -n 5000 ${shown(FOLDER)}/incoming/batch-01.ndjson > ${shown(FOLDER)}/more
    mv ${shown(FOLDER)}/more ${shown(FOLDER)}/incoming/more.ndjson     5,000 rows more, visible with the next checkpoint
    kill -9 the daemon, start it again             nothing is lost, nothing doubled
  node dist/lib/cli/main.cjs status ${shown(JOB)}   what it has done
  node dist/lib/cli/main.cjs inspect ${shown(path.join(LAKE, lake.files.keys().next().value ?? ''))}
  npm start -- --fresh                             this, from the beginning`);

/** A backfill is exactly once over all its runs, not only within one. */
async function showSecondBackfill(): Promise<void> {
  headline('5. The same backfill again');
  await backfill();
  const again = await visibleFiles(LAKE);
  if (!sameFiles(lake.files, again.files)) throw new Error('the second backfill changed the lake');
  console.log('  Nothing was new, so nothing was written: the lake is as it was.');
}

/** Runs the real program; its progress bar is the terminal's. */
async function backfill(): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'backfill', JOB], { stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  if (status === 0) return;
  console.error(
    `\nsluice ended with ${status}. \`npm start -- --fresh\` removes ${shown(FOLDER)} and begins anew.`,
  );
  process.exit(status ?? 1);
}

function sameFiles(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, bytes]) => b.get(name) === bytes);
}

function formatAnswer({ head, rows }: Answer): string {
  const most = 8;
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows.slice(0, most)) table.push([...row]);
  const flights = rows.reduce((sum, row) => sum + Number(row[1]), 0);
  const rest = rows.length > most ? `... and ${rows.length - most} more days; ` : '';
  return `${table.toString()}\n${rest}${flights.toLocaleString('en')} flights in all`;
}

function headline(text: string): void {
  console.log(`\n${text}`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function shown(file: string): string {
  return path.relative('', file) || '.';
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
