/** Input for the engines: rows with everything that has gone wrong between writers and readers, and what SELECT must say. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seededRandom } from '../support/generate.ts';

export interface Event {
  readonly id: number;
  readonly ts: string;
  readonly n: string | null;
  readonly price: number | null;
  readonly ok: boolean | null;
  readonly country: string | null;
  readonly note: string | null;
  readonly tags: readonly (string | null)[] | null;
  readonly place: { readonly lat: number | null; readonly name: string | null } | null;
}

export const EVENT_SCHEMA =
  "[{name: id, type: int64}, {name: ts, type: timestamp(ms)}, {name: n, type: int64}, {name: price, type: float64}, {name: ok, type: boolean}, {name: country, type: string}, {name: note, type: string}, {name: tags, type: list<string>}, {name: place, type: 'struct<lat:float64,name:string>'}]";
/** The same without what CSV does not have. */
export const FLAT_SCHEMA = `${EVENT_SCHEMA.slice(0, EVENT_SCHEMA.indexOf(', {name: tags'))}]`;

/** Values that Hive escapes in folder names, others that it does not, and none. */
const COUNTRIES = [
  'DE',
  'a/b=c',
  'per%cent',
  'x:y',
  "q'uote",
  'Côte d’Ivoire',
  '日本',
  'a b',
  'a%20b',
  null,
  '',
];
const NOTES = [
  'plain',
  'with "quotes", commas and \\backslashes\\',
  'two\nlines\r\nor three',
  'käse 🧀 日本語 \u2028',
  'tab\there',
  ' leading and trailing ',
  '',
  null,
];

export function events(count: number, seed = 1): Event[] {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  return Array.from({ length: count }, (_, id) => ({
    id,
    ts: new Date(Date.UTC(2026, 10, 22) + Math.floor(random() * 3 * 3_600_000)).toISOString(),
    n: pick([
      null,
      '0',
      '-1',
      '9007199254740993',
      '-9223372036854775808',
      String(Math.floor(random() * 1e6)),
    ]),
    price: pick([null, 0, -0.5, 1e300, Math.round(random() * 1e6) / 100]),
    ok: pick([true, false, null]),
    country: pick(COUNTRIES),
    note: pick(NOTES),
    tags: pick([null, [], ['a'], ['a', null, 'käse "x"']]),
    place: pick([
      null,
      { lat: null, name: 'nowhere' },
      { lat: 52.5, name: null },
      { lat: -1.25, name: 'a\\b' },
    ]),
  }));
}

/** As NDJSON in some files; integers beyond 2^53 are written with all their digits. */
export async function writeEvents(folder: string, rows: readonly Event[], flat: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  const perFile = Math.ceil(rows.length / 3);
  for (let file = 0; file < 3; file++) {
    const lines = rows.slice(file * perFile, (file + 1) * perFile).map((row) => {
      const { n, tags, place, ...rest } = row;
      const text = JSON.stringify({ ...rest, ...(flat ? {} : { tags, place }) });
      return `${text.slice(0, -1)},"n":${n ?? 'null'}}\n`;
    });
    await writeFile(path.join(folder, `${file}.ndjson`), lines.join(''));
  }
}
