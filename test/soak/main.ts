/**
 * `npm run soak -- [--minutes 30] [--rows-per-second 20000]`: a daemon under steady load for as long as it takes to see
 * whether memory and file descriptors stay where they are. Prints a plot, and leaves an SVG. Exit code 1 where they grow,
 * where the daemon ends badly, or where a row is missing or doubled in the end. Linux only: it looks into /proc.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Sample, textPlot, timePlot, verdict } from './report.ts';

const MAIN = fileURLToPath(new URL('../../dist/lib/cli/main.cjs', import.meta.url));
const RESULTS = fileURLToPath(new URL('../bench/results', import.meta.url));
/** Files that come in a second. */
const FILES_PER_SECOND = 4;
const SAMPLE_INTERVAL_MS = 1000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'rows-per-second': { type: 'string', default: '20000' },
  },
});
const minutes = Number(values.minutes);
const rowsPerSecond = Number(values['rows-per-second']);
if (!(minutes > 0) || !(rowsPerSecond >= FILES_PER_SECOND))
  throw new Error('--minutes and --rows-per-second');

/** Files go once their rows are visible, as where a daemon runs for months: what is known of each file grows with what is there. */
const JOB = `version: 1
job: soak
parallelism: 2
memory: 64MiB
checkpoint: { interval: 1s }
source:
  path: ./incoming
  monitor_interval: 500ms
  after_commit: delete
  format: { type: ndjson, schema: [{name: id, type: int64}, {name: ts, type: timestamp(ms)}, {name: user, type: string}, {name: text, type: string}] }
event_time: { field: ts }
sink:
  path: ./lake
  format: { type: parquet }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'minute='HHmm" }
  rolling: { part_size: 8MiB, rollover_interval: 20s, inactivity_interval: 10s }
`;

const folder = await mkdtemp(path.join(tmpdir(), 'sluice-soak-'));
try {
  process.exitCode = await soak();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function soak(): Promise<number> {
  await mkdir(path.join(folder, 'incoming'));
  await writeFile(path.join(folder, 'job.yaml'), JOB);
  const daemon = start('run');
  const samples: Sample[] = [];
  const started = performance.now();
  const endMs = started + minutes * 60_000;
  let rows = 0;
  let sampleAt = started;
  for (let file = 0; performance.now() < endMs && daemon.process.exitCode === null; file++) {
    rows += await writeEvents(file, rows, Math.floor(rowsPerSecond / FILES_PER_SECOND));
    if (performance.now() >= sampleAt && daemon.process.pid !== undefined) {
      samples.push(await sample(daemon.process.pid, (performance.now() - started) / 1000));
      sampleAt += SAMPLE_INTERVAL_MS;
    }
    await delay(Math.max(0, started + ((file + 1) * 1000) / FILES_PER_SECOND - performance.now()));
  }
  daemon.process.kill('SIGTERM');
  const status = await daemon.ended;
  // What is open stays resumable; a backfill closes it, so that all rows can be counted.
  const backfillStatus = await start('backfill').ended;
  const found = await countRows();
  const isExact = found.rows === rows && found.ids === rows;
  console.log(textPlot(samples));
  await mkdir(RESULTS, { recursive: true });
  await writeFile(path.join(RESULTS, 'soak.svg'), timePlot(samples));
  const { isFlat, text } = verdict(samples);
  console.log(text);
  console.log(
    `${rows} rows written, ${found.rows} found, ${found.ids} different ones; the daemon ended with ${status}`,
  );
  await writeFile(
    path.join(RESULTS, 'soak.json'),
    `${JSON.stringify({ minutes, rowsPerSecond, rows, found, status, isFlat, samples })}\n`,
  );
  return isFlat && isExact && status === '0' && backfillStatus === '0' ? 0 : 1;
}

function start(command: 'run' | 'backfill') {
  const child = spawn(process.execPath, [MAIN, command, 'job.yaml', '--quiet'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? String(code)));
  });
  return { process: child, ended };
}

/** Written elsewhere, then renamed in. @returns how many rows */
async function writeEvents(file: number, firstId: number, rows: number): Promise<number> {
  const now = Date.now();
  let text = '';
  for (let i = 0; i < rows; i++) {
    const id = firstId + i;
    const ts = new Date(now - (id % 1000)).toISOString();
    text += `{"id":${id},"ts":"${ts}","user":"u${(id * 7919) % 100_003}","text":"some text ${id % 977}"}\n`;
  }
  const name = `events-${file}.ndjson`;
  await writeFile(path.join(folder, name), text);
  await rename(path.join(folder, name), path.join(folder, 'incoming', name));
  return rows;
}

async function sample(pid: number, seconds: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rssBytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  const files = (await readdir(`/proc/${pid}/fd`)).length;
  return { seconds, rssBytes, files };
}

async function countRows(): Promise<{ rows: number; ids: number }> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT id) FROM read_parquet('${folder}/lake/*/*/*.parquet', hive_partitioning = true)`,
  );
  const [rows, ids] = (result.getRows()[0] ?? []).map(Number);
  connection.closeSync();
  instance.closeSync();
  return { rows: rows ?? 0, ids: ids ?? 0 };
}
