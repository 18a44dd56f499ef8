/** `npm run demo:messy`: broken files go through without a stop, and `sluice verify` accounts for every record. */
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { type BrokenFile, birdFiles, movieFiles, writeFiles } from './broken-files.ts';
import { reasonsOf } from './reasons.ts';

const MAIN = fileURLToPath(new URL('../../../dist/lib/cli/main.cjs', import.meta.url));
const FOLDER = path.resolve('messy-lake');

const BIRDS = `# Made by npm run demo:messy.
version: 1
job: birds
state: ./state
source:
  path: ./in/birds
  format:
    type: csv
    quoted_newlines: false           # a quote that is not closed costs one record, not the rest of the file
    schema:
      - { name: Airport Name, type: string }
      - { name: Flight Date, type: date }
      - { name: Origin State, type: string }
      - { name: Wildlife Species, type: string }
      - { name: Cost Total $, type: int64 }
      - { name: Speed IAS in knots, type: int64 }
    on_bad_record: quarantine
    on_new_field: rescue             # columns that are not in the schema go to _rescued, as JSON
quarantine: { path: ./quarantine/birds }
sink:
  path: ./lake/birds
  format: { type: parquet }
  bucket: { type: fields, fields: [{ year: 'Flight Date:year' }] }
`;

const MOVIES = `# Made by npm run demo:messy.
version: 1
job: movies
state: ./state
source:
  path: ./in/movies
  format:
    type: ndjson
    schema:
      - { name: Title, type: string }
      - { name: Release Date, type: string }
      - { name: US Gross, type: int64 }
      - { name: IMDB Rating, type: float64 }
    on_bad_record: quarantine
    on_new_field: rescue
    on_type_mismatch: rescue         # null, and the value in _rescued
quarantine: { path: ./quarantine/movies }
sink:
  path: ./lake/movies
  format: { type: parquet }
  bucket: { type: base_path }
`;

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
const jobs = [
  { name: 'birds', text: BIRDS, files: await birdFiles() },
  { name: 'movies', text: MOVIES, files: await movieFiles() },
];
for (const { name, text, files } of jobs) {
  await writeFiles(path.join(FOLDER, 'in', name), files);
  await writeFile(path.join(FOLDER, `${name}.yaml`), text);
  headline(`What is in messy-lake/in/${name}`);
  console.log(shownFiles(files));
  headline(`sluice backfill messy-lake/${name}.yaml`);
  await sluice('backfill', '--quiet', path.join(FOLDER, `${name}.yaml`));
  headline(`What is in messy-lake/quarantine/${name}, by reason`);
  console.log(indented(await reasonsOf(path.join(FOLDER, 'quarantine', name))));
  headline(`sluice verify messy-lake/${name}.yaml`);
  await sluice('verify', path.join(FOLDER, `${name}.yaml`));
  const { source } = JSON.parse(await sluice('verify', '--json', path.join(FOLDER, `${name}.yaml`))) as {
    source: { records: number; rows: number; quarantined: number };
  };
  const written = files.reduce((sum, { records }) => sum + records, 0);
  if (source.records !== written)
    throw new Error(`${written} records were put there, and ${source.records} are accounted for`);
  console.log(
    `  ${written} records were put there: ${source.rows} are rows of the lake, ${source.quarantined} are in the quarantine.`,
  );
}

/** Runs the real program. @returns what it printed on stdout; its words for people go to the terminal */
async function sluice(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${status}`);
  return args.includes('--json') ? text : '';
}

function shownFiles(files: readonly BrokenFile[]): string {
  const table = new Table({ head: ['file', 'records', ''], style: { head: [], border: [], compact: true } });
  for (const { name, records, what } of files) table.push([name, String(records), what]);
  return indented(table.toString());
}

function headline(text: string): void {
  console.log(`\n${text}`);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
