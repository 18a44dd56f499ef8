/**
 * The last step of `npm run build`: runs the program on small jobs and keeps what V8 compiled (lib/core/code-cache.ts).
 * Each job adds the functions that none before had called.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RECORD_VARIABLE } from '../lib/core/code-cache.ts';

const CACHE = fileURLToPath(new URL('../dist/lib/code-cache/', import.meta.url));
const MAIN = fileURLToPath(new URL('../dist/lib/cli/main.cjs', import.meta.url));
/** Of both threads. */
const CHUNKS = 7;
/** Some batches, of some hours. */
const ROWS = 40_000;
const START_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 250;

const rows = Array.from({ length: ROWS }, (_, row) => ({
  ts: new Date(START_MS + row * STEP_MS).toISOString(),
  user: `user-${(row * 7919) % 10_000}`,
  page: `/p/${row % 97}`,
  status: row % 11 === 0 ? 404 : 200,
  bytes: (row * 104_729) % 1_000_000,
  ms: row / 8,
  tags: row % 3 === 0 ? [] : ['a', `b${row % 5}`],
}));
const csv = rows.map(({ ts, user, page, status, bytes, ms }) =>
  [ts, user, page, status, bytes, ms].join(','),
);

const SCHEMA = `[{name: ts, type: 'timestamp(ms)'}, {name: user, type: string}, {name: page, type: string},
      {name: status, type: int32}, {name: bytes, type: int64}, {name: ms, type: float64}, {name: tags, type: 'list<string>'}]`;

/** Input, format of the source, format of the sink. */
const JOBS: readonly (readonly [string, string, string])[] = [
  ['rows.ndjson', `{ type: ndjson, schema: ${SCHEMA} }`, '{ type: parquet }'],
  ['rows.ndjson', `{ type: ndjson, schema: ${SCHEMA} }`, '{ type: ndjson }'],
  ['rows.ndjson', '{ type: ndjson }', '{ type: parquet }'],
  ['rows.csv', '{ type: csv }', '{ type: parquet }'],
];

const jobText = (job: string, input: string, from: string, to: string) => `version: 1
job: ${job}
parallelism: 1
source:
  path: ./input
  include: ['${input}']
  format: ${from}
event_time: { field: ts }
sink:
  path: ./${job}
  format: ${to}
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
`;

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-build-'));
try {
  mkdirSync(path.join(folder, 'input'));
  const write = (name: string, lines: readonly string[]) =>
    writeFileSync(path.join(folder, 'input', name), `${lines.join('\n')}\n`);
  write(
    'rows.ndjson',
    rows.map((row) => JSON.stringify(row)),
  );
  write('rows.csv', ['ts,user,page,status,bytes,ms', ...csv]);
  for (const [index, [input, from, to]] of JOBS.entries()) {
    const file = path.join(folder, `job-${index}.yaml`);
    writeFileSync(file, jobText(`job-${index}`, input, from, to));
    execFileSync(process.execPath, [MAIN, 'backfill', file], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      // As a user starts it: options of the caller's Node would make it other code.
      env: { ...process.env, [RECORD_VARIABLE]: CACHE, NODE_OPTIONS: '' },
    });
  }
  // Of main: buckets, cli, engine, job, subtask; of a subtask: buckets, subtask.
  const written = readdirSync(CACHE, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.bin'),
  );
  if (written.length < CHUNKS)
    throw new Error(`${CACHE} has code of ${written.length} chunks instead of ${CHUNKS}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
