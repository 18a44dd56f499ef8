/**
 * Real files, broken as files get broken: by spreadsheets, by loggers that die, by whoever saved them in another
 * encoding. What is broken, and where, is the same each time.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

export interface BrokenFile {
  readonly name: string;
  readonly what: string;
  readonly bytes: Buffer;
  /** Lines with something in them, a header left out. What is left of a file that cannot be read on counts as one. */
  readonly records: number;
}

/** 10,000 strikes of birds, from the FAA, as CSV. */
export async function birdFiles(): Promise<BrokenFile[]> {
  const [header = '', ...lines] = (await dataset('birdstrikes.csv')).trimEnd().split(/\r?\n/);
  const slice = (index: number) => lines.slice(index * 1000, index * 1000 + 1000);
  const csv = (rows: readonly string[], head = header) => Buffer.from(`${[head, ...rows].join('\n')}\n`);
  const every = (step: number, rows: readonly string[], change: (line: string, i: number) => string) =>
    rows.map((line, i) => (i % step === step - 1 ? change(line, i) : line));
  const cells = (line: string, change: (cells: string[]) => void) => {
    const split = line.split(',');
    change(split);
    return split.join(',');
  };
  const shuffled = [header, ...slice(2)].map((line, i) =>
    cells(line, (all) => {
      all.reverse();
      all.push(i === 0 ? 'Remarks' : `row ${i}`);
    }),
  );
  const torn = gzipSync(csv(slice(7)));
  const half = csv(slice(8));
  return [
    { name: 'birds-0.csv', what: 'as it came', bytes: csv(slice(0)), records: 1000 },
    {
      name: 'birds-1.csv',
      what: 'every 50th record has a field too many, or lacks some',
      bytes: csv(every(50, slice(1), (line, i) => (i % 100 === 49 ? `${line},?` : line.slice(0, 30)))),
      records: 1000,
    },
    {
      name: 'birds-2.csv',
      what: 'columns in another order, and one that nobody announced',
      bytes: csv(shuffled.slice(1), shuffled[0]),
      records: 1000,
    },
    {
      name: 'birds-3.csv',
      what: 'costs as `$1 234`, dates as 8/1/1990, `n/a` for a speed',
      bytes: csv(
        every(10, slice(3), (line, i) =>
          cells(line, (all) => {
            if (i % 30 === 9) all[12] = '$1 234';
            else if (i % 30 === 19) all[3] = '8/1/1990';
            else all[13] = 'n/a';
          }),
        ),
      ),
      records: 1000,
    },
    {
      name: 'birds-4.csv',
      what: 'saved as Latin-1; every 20th airport has an accent',
      bytes: Buffer.from(
        [header, ...every(20, slice(4), (line) => line.replace(/^[^,]*/, 'MONTRÉAL'))]
          .join('\n')
          .concat('\n'),
        'latin1',
      ),
      records: 1000,
    },
    {
      name: 'birds-5.csv',
      what: 'UTF-8 with a byte order mark, CRLF line ends, empty lines',
      bytes: Buffer.from(
        `\uFEFF${[header, ...every(100, slice(5), (line) => `${line}\r\n`)].join('\r\n')}\r\n`,
      ),
      records: 1000,
    },
    {
      name: 'birds-6.csv',
      what: 'saved as UTF-16: nothing of it can be read',
      bytes: Buffer.from(`\uFEFF${[header, ...slice(6)].join('\r\n')}\r\n`, 'utf16le'),
      records: 1,
    },
    {
      name: 'birds-8.csv',
      what: 'cut in the middle of its last line',
      bytes: half.subarray(0, half.length - 60),
      records: 1000,
    },
    {
      name: 'birds-9.csv.gz',
      what: 'gzip, cut before anything whole came out of it',
      bytes: torn.subarray(0, 60),
      records: 1,
    },
  ];
}

/** 3,201 films, as lines of JSON. The original has numbers for titles and dates in several forms. */
export async function movieFiles(): Promise<BrokenFile[]> {
  const movies = JSON.parse(await dataset('movies.json')) as Record<string, unknown>[];
  const lines = movies.map((movie) => JSON.stringify(movie));
  const file = (name: string, what: string, all: readonly string[], encoding: BufferEncoding = 'utf8') => ({
    name,
    what,
    bytes: Buffer.from(`${all.join('\n')}\n`, encoding),
    records: all.filter((line) => line.trim() !== '').length,
  });
  const every = (step: number, from: number, change: (line: string, i: number) => string) =>
    lines.slice(from, from + 800).map((line, i) => (i % step === step - 1 ? change(line, i) : line));
  return [
    file('movies-0.ndjson', 'as it came: some titles are numbers', lines.slice(0, 800)),
    file(
      'movies-1.ndjson',
      'every 40th line is half a line, some others are empty',
      every(20, 800, (line, i) => (i % 40 === 39 ? line.slice(0, line.length / 2) : '')),
    ),
    file(
      'movies-2.ndjson',
      'lists and objects where a number was, fields that nobody announced',
      every(25, 1600, (line, i) =>
        line.replace('"US Gross":', i % 50 === 24 ? '"US Gross":[1],"x":' : '"reviews":{"n":1},"y":'),
      ),
    ),
    file(
      'movies-3.ndjson',
      'saved as Latin-1; log lines between the records, two records on a line',
      [...every(60, 2400, (line) => line.replace('"Title":"', '"Title":"Ça: ')), 'ERROR disk full', '{}{}'],
      'latin1',
    ),
  ];
}

export async function writeFiles(folder: string, files: readonly BrokenFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) await writeFile(path.join(folder, name), bytes);
}

function dataset(name: string): Promise<string> {
  return readFile(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')), 'utf8');
}
