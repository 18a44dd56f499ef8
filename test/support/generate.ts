/**
 * Seeded input for tests: rows with unique ids, times over some hours, nulls, text that breaks careless code, and a
 * list. The same seed gives the same bytes on every machine. Files appear whole: written under a hidden name, renamed.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ColumnKinds } from './oracle/column-kind.ts';
import type { Row } from './oracle/table-file.ts';

export interface GeneratedRow extends Row {
  /** `<seed>-<number>`: unique over all rows of a seed. */
  readonly id: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly ts: string;
  /** An int64; beyond 2^53 now and then, as text of digits. */
  readonly n: number | string | null;
  readonly price: number | null;
  readonly ok: boolean | null;
  /** Few distinct values, some of which do not name a folder as they are. */
  readonly country: string | null;
  readonly note: string | null;
  /** Absent from CSV. */
  readonly tags?: readonly string[] | null;
}

/** What the oracle has to know about generated rows, as NDJSON. */
export const GENERATED_COLUMNS: ColumnKinds = {
  id: 'text',
  ts: 'instant',
  n: 'integer',
  price: 'real',
  ok: 'boolean',
  country: 'text',
  note: 'text',
  tags: { list: 'text' },
};

/** The same without the list, which CSV does not have. */
export const GENERATED_CSV_COLUMNS: ColumnKinds = Object.fromEntries(
  Object.entries(GENERATED_COLUMNS).filter(([name]) => name !== 'tags'),
);

/** The schema of a job file for generated NDJSON, in YAML's flow style. */
export const GENERATED_SCHEMA =
  '[{name: id, type: string}, {name: ts, type: timestamp(ms)}, {name: n, type: int64}, {name: price, type: float64}, {name: ok, type: boolean}, {name: country, type: string}, {name: note, type: string}, {name: tags, type: list<string>}]';

/** The same for generated CSV. */
export const GENERATED_CSV_SCHEMA = GENERATED_SCHEMA.replace(', {name: tags, type: list<string>}', '');

export interface GenerateOptions {
  readonly seed: number;
  readonly rows: number;
  /** Number of the first row, for ids that go on over several files. Default 0. */
  readonly first?: number;
  /** Default 2026-11-22T00:00:00Z. */
  readonly startMs?: number;
  /** Times are spread over so many hours, nearly in order. Default 6. */
  readonly hours?: number;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const COUNTRIES = ['DE', 'FR', 'US', 'Côte d’Ivoire', 'a/b=c', 'per%cent', null, ''];
const NOTES = [
  'plain',
  'with "quotes", commas and \\backslashes\\',
  'two\nlines\r\nor three',
  'käse 🧀 日本語 \u2028',
  ' leading and trailing ',
  '',
  '\u0000 and \u001f',
  'x'.repeat(300),
];
const TAGS = ['new', 'sale', 'ü', 'a b'];
const DEFAULT_START_MS = Date.UTC(2026, 10, 22);
const HOUR_MS = 3_600_000;

export function generateRows(options: GenerateOptions): GeneratedRow[] {
  const { seed, rows, first = 0, startMs = DEFAULT_START_MS, hours = 6 } = options;
  // Mixed with the first row's number, so that the files of one seed differ.
  const random = seededRandom(seed * 2_654_435_761 + first);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const orNull = <T>(value: T): T | null => (random() < 0.1 ? null : value);
  return Array.from({ length: rows }, (_, at) => {
    const offset = ((at + random() * 20) / (rows + 20)) * hours * HOUR_MS;
    const isLong = random() < 0.05;
    return {
      id: `${seed}-${first + at}`,
      ts: new Date(startMs + Math.floor(offset)).toISOString(),
      n: orNull(
        isLong ? `9${Math.floor(random() * 1e15)}`.padEnd(18, '7') : Math.floor(random() * 2e9) - 1e9,
      ),
      price: orNull(Math.floor(random() * 1e7) / 100),
      ok: orNull(random() < 0.5),
      country: pick(COUNTRIES),
      note: orNull(pick(NOTES)),
      tags: orNull(Array.from({ length: Math.floor(random() * 4) }, () => pick(TAGS))),
    };
  });
}

/** `dt=2026-11-22/hour=13`: where the pattern `'dt='yyyy-MM-dd/'hour='HH` in UTC puts a row by its own time. */
export function hourBucket(row: Row): string {
  const ts = String(row.ts);
  return `dt=${ts.slice(0, 10)}/hour=${ts.slice(11, 13)}`;
}

export function toNdjson(rows: readonly GeneratedRow[]): string {
  return rows.map((row) => `${ndjsonLine(row)}\n`).join('');
}

/** Long integers stand in the row as text and in the file as numbers. */
function ndjsonLine({ n, ...row }: GeneratedRow): string {
  return JSON.stringify({ ...row, n: null }).replace(/"n":null\}$/, `"n":${n}}`);
}

const CSV_NAMES = Object.keys(GENERATED_CSV_COLUMNS);

/** With a header; null is nothing at all, empty text is `""`. */
export function toCsv(rows: readonly GeneratedRow[]): string {
  const line = (row: GeneratedRow) => CSV_NAMES.map((name) => csvCell(row[name])).join(',');
  return [CSV_NAMES.join(','), ...rows.map(line), ''].join('\n');
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes rows in the format that the name says (`.ndjson`, `.csv`, and `.gz` behind), so that the file appears whole. */
export async function writeRows(file: string, rows: readonly GeneratedRow[]): Promise<void> {
  const text = /\.csv(\.gz)?$/.test(file) ? toCsv(rows) : toNdjson(rows);
  await writeWhole(file, file.endsWith('.gz') ? gzipSync(text) : text);
}

/** Writes a file under a hidden name beside its own, then renames it: nobody sees half of it. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  const hidden = path.join(folder, `.${path.basename(file)}.writing`);
  await mkdir(folder, { recursive: true });
  await writeFile(hidden, content);
  await rename(hidden, file);
}
