/**
 * The input of the benchmarks: web events, about 213 bytes each as NDJSON, 9 fields of which one is a list. Seeded,
 * made once and kept outside the repository.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seededRandom } from '../support/generate.ts';

export interface EventsShape {
  readonly rows: number;
  readonly format: 'ndjson' | 'csv';
  /** time: nearly in order, as logs are; random: every file spans all hours. */
  readonly order: 'time' | 'random';
  /** How many hours the events span: how many buckets an hourly job makes. */
  readonly hours: number;
  /** Files that they are cut into, 8 where left out. */
  readonly files?: number;
  /** Columns, 9 where left out: fewer end earlier, more are numbers and words in turn. NDJSON only. */
  readonly columns?: number;
}

/** What was made, and what any correct lake of it must add up to. */
export interface Events extends EventsShape {
  readonly folder: string;
  readonly sizeBytes: number;
  readonly sumBytes: number;
  readonly sumStatus: number;
}

/** Change with anything below: old caches are not used then. */
const VERSION = 1;
const FILES = 8;
const COLUMNS = ['ts', 'user', 'country', 'status', 'bytes', 'page', 'ms', 'agent', 'tags'];
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 22);
const CHUNK_CHARACTERS = 1 << 20;

const COUNTRIES = ['DE', 'US', 'FR', 'GB', 'IN', 'BR', 'JP', 'NG', 'PL', 'SE', 'IT', 'ES'];
const STATUSES = [200, 200, 200, 200, 200, 304, 404, 301, 500, 503];
const AGENTS = Array.from({ length: 40 }, (_, i) => `Mozilla/5.0 (X11; Linux x86_64) Gecko/${100 + i}`);
const TAGS = ['new', 'mobile', 'sale', 'member', 'search', 'ab-test'];

const CSV_HEADER = 'ts,user,country,page,status,bytes,ms,agent,tags';

/** The events of a shape, made now unless they are in the cache. */
export async function webEvents(shape: EventsShape): Promise<Events> {
  const { files = FILES, columns = COLUMNS.length } = shape;
  const cut = files === FILES ? '' : `-${files}f`;
  const wide = columns === COLUMNS.length ? '' : `-${columns}c`;
  const name = `web-events-v${VERSION}-${shape.format}-${shape.rows}-${shape.order}-${shape.hours}h${cut}${wide}`;
  const folder = path.join(cacheFolder(), name);
  try {
    return {
      ...JSON.parse(await readFile(path.join(folder, 'about.json'), 'utf8')),
      folder: inputOf(folder),
    };
  } catch {
    // Not made yet, or not to its end.
  }
  rmSync(folder, { recursive: true, force: true });
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(inputOf(unfinished), { recursive: true });
  const about = writeEvents(shape, inputOf(unfinished));
  writeFileSync(path.join(unfinished, 'about.json'), JSON.stringify({ ...shape, ...about }));
  renameSync(unfinished, folder);
  return { ...shape, ...about, folder: inputOf(folder) };
}

/** What the benchmarks make once and keep. */
export function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME ?? tmpdir(), 'sluice-bench');
}

function inputOf(folder: string): string {
  return path.join(folder, 'input');
}

function writeEvents(
  shape: EventsShape,
  folder: string,
): { sizeBytes: number; sumBytes: number; sumStatus: number } {
  const random = seededRandom(20_261_122);
  const spanMs = shape.hours * HOUR_MS;
  let sizeBytes = 0;
  let sumBytes = 0;
  let sumStatus = 0;
  const { files = FILES, columns = COLUMNS.length } = shape;
  const line = columns === COLUMNS.length ? eventLine : otherWidth(columns);
  for (let file = 0; file < files; file++) {
    const [from, to] = [shape.rows * file, shape.rows * (file + 1)].map((row) => Math.floor(row / files));
    const handle = openSync(path.join(folder, `events-${file}.${shape.format}`), 'w');
    let text = shape.format === 'csv' ? `${CSV_HEADER}\n` : '';
    for (let row = from!; row < to!; row++) {
      // A log is in order but for some seconds, as its writers' clocks and buffers are.
      const jitterMs = Math.min(30_000, spanMs / 100);
      const inOrderMs = (row / shape.rows) * (spanMs - jitterMs) + random() * jitterMs;
      const ts = new Date(START_MS + Math.floor(shape.order === 'time' ? inOrderMs : random() * spanMs));
      const status = STATUSES[Math.floor(random() * STATUSES.length)]!;
      const bytes = Math.floor(random() * random() * 100_000);
      sumBytes += bytes;
      sumStatus += status;
      text += line(shape.format, random, ts.toISOString(), status, bytes);
      if (text.length >= CHUNK_CHARACTERS) {
        sizeBytes += writeSync(handle, text);
        text = '';
      }
    }
    sizeBytes += writeSync(handle, text);
    closeSync(handle);
  }
  return { sizeBytes, sumBytes, sumStatus };
}

function eventLine(
  format: EventsShape['format'],
  random: () => number,
  ts: string,
  status: number,
  bytes: number,
): string {
  const pick = (values: readonly string[]) => values[Math.floor(random() * values.length)]!;
  // 100,000 users: a column that must leave its dictionary, as in practice one always has to.
  const user = `u${String(Math.floor(random() * 100_000)).padStart(7, '0')}`;
  const page = `/products/${Math.floor(random() * random() * 2_000)}/reviews`;
  const ms = Math.floor(random() * 50_000) / 100;
  const [country, agent] = [pick(COUNTRIES), pick(AGENTS)];
  const tags = random() < 0.3 ? [pick(TAGS)] : [pick(TAGS), pick(TAGS)];
  if (format === 'csv') {
    return `${ts},${user},${country},${page},${status},${bytes},${ms},${agent},${tags.join('|')}\n`;
  }
  const list = tags.map((tag) => `"${tag}"`).join(',');
  return `{"ts":"${ts}","user":"${user}","country":"${country}","page":"${page}","status":${status},"bytes":${bytes},"ms":${ms},"agent":"${agent}","tags":[${list}]}\n`;
}

/** Names and types of the columns of a shape, as a job declares them. */
export function eventTypes({
  columns = COLUMNS.length,
  format,
}: EventsShape): Readonly<Record<string, string>> {
  const known: Readonly<Record<string, string>> = {
    ts: 'timestamp(ms)',
    user: 'string',
    country: 'string',
    page: 'string',
    status: 'int32',
    bytes: 'int64',
    ms: 'float64',
    agent: 'string',
    tags: format === 'csv' ? 'string' : 'list<string>',
  };
  if (columns >= COLUMNS.length) return { ...known, ...extraTypes(columns) };
  return Object.fromEntries(COLUMNS.slice(0, columns).map((name) => [name, known[name]!]));
}

function extraTypes(columns: number): Record<string, string> {
  const types: Record<string, string> = {};
  for (let i = COLUMNS.length; i < columns; i++) types[`c${i}`] = i % 2 === 0 ? 'int64' : 'string';
  return types;
}

/** Lines with fewer or more columns than usual. */
function otherWidth(columns: number): typeof eventLine {
  return (format, random, ts, status, bytes) => {
    const event: Record<string, unknown> = JSON.parse(eventLine(format, random, ts, status, bytes));
    const record: Record<string, unknown> = {};
    for (const name of COLUMNS.slice(0, columns)) record[name] = event[name];
    for (let i = COLUMNS.length; i < columns; i++) {
      const number = Math.floor(random() * random() * 100_000);
      record[`c${i}`] = i % 2 === 0 ? number : `word-${number % 500}`;
    }
    return `${JSON.stringify(record)}\n`;
  };
}
