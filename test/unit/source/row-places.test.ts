/** Where rows come from: however a file is cut, chunked and resumed, each row's place is the one that it has in the file. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInputFormat, type StreamFormatSpec } from '../../../formats/input-format.ts';
import { type Split, startPosition } from '../../../lib/source/split.ts';
import { SplitReader } from '../../../lib/source/split-reader.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';
import { memory, splitOf } from './reading.ts';

const FILE = '/in/data';

interface Case {
  readonly name: string;
  readonly spec: StreamFormatSpec;
  readonly head: string;
  /** A record, a bad one, and what may stand between two of them. */
  readonly record: (id: number, text: string) => string;
  readonly bad: string | null;
  readonly between: readonly string[];
  readonly foot: string;
}

const csv = { ...csvInputSpec, compression: 'none' } as const;

const CASES: readonly Case[] = [
  {
    name: 'ndjson',
    spec: { type: 'ndjson', compression: 'none' },
    head: '',
    record: (id, text) => JSON.stringify({ id, text }),
    bad: '{"id":"none"}',
    between: ['\n', '\r\n', '\n\n', '\n  \n'],
    foot: '\n',
  },
  {
    name: 'csv',
    spec: csv,
    head: 'text,id\n',
    record: (id, text) => `${text},${id}`,
    bad: 'x,none',
    between: ['\n', '\r\n', '\n\n'],
    foot: '\n',
  },
  {
    name: 'csv with line ends in quotes',
    spec: csv,
    head: 'text,id\n',
    record: (id, text) => `"${text}\n${text}\r\n",${id}`,
    bad: '"x\n",none',
    between: ['\n', '\r\n'],
    foot: '',
  },
  {
    name: 'json array',
    spec: { type: 'json', compression: 'none' },
    head: ' [\n',
    record: (id, text) => `{"id":${id},\n"text":${JSON.stringify(text)}}`,
    bad: '{"id":"none"}',
    between: [',', ',\n ', '\n,\n'],
    foot: '\n]',
  },
];

const SCHEMA = schemaOf({ id: 'int64', text: 'string' });

interface Place {
  readonly id: number;
  readonly offset: number;
  readonly line: number;
}

/** A file of the case, and where each good record stands, by id. */
function build(of: Case, records: readonly (readonly [string, boolean, number])[]) {
  let text = of.head;
  let [offset, line] = [0, 1];
  let measured = 0;
  const places: Place[] = [];
  for (const [i, [value, isBad, gap]] of records.entries()) {
    if (i > 0) text += of.between[gap % of.between.length]!;
    const piece = text.slice(measured);
    offset += Buffer.byteLength(piece);
    line += piece.split('\n').length - 1;
    measured = text.length;
    if (!isBad || of.bad === null) places.push({ id: i, offset, line });
    text += isBad && of.bad !== null ? of.bad : of.record(i, value);
  }
  return { text: text + of.foot, places };
}

async function readPlaces(reader: () => SplitReader, split: Split, resume: boolean): Promise<Place[]> {
  const found: Place[] = [];
  let from = split;
  for (let open = reader(), opened = await open.open(from); opened; ) {
    const batch = await open.next();
    if (batch === null) break;
    const { offsets, lines } = open.places;
    for (let row = 0; row < batch.length; row++) {
      const { id } = batch.record(row) as { id: bigint };
      found.push({ id: Number(id), offset: offsets?.[row] ?? -1, line: lines?.[row] ?? -1 });
    }
    if (!resume) continue;
    from = JSON.parse(JSON.stringify(open.split())) as Split;
    await open.close();
    open = reader();
    opened = await open.open(from);
  }
  return found;
}

describe('places of rows', () => {
  for (const of of CASES) {
    it(`${of.name}: offset and line, whatever the pieces`, async () => {
      const format = await createInputFormat(of.spec);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.stringMatching(/^[a-zé😀 ]{0,20}$/u), fc.boolean(), fc.nat(10)), {
            minLength: 1,
            maxLength: 40,
          }),
          fc.integer({ min: 1, max: 200 }),
          fc.integer({ min: 1, max: 50 }),
          fc.boolean(),
          fc.nat(),
          async (records, chunkBytes, batchRows, resume, cut) => {
            const fileSystem = memory();
            const { text, places } = build(of, records);
            fileSystem.put(FILE, text);
            const reader = () =>
              new SplitReader({
                fileSystem,
                format,
                compression: 'none',
                schema: SCHEMA,
                batchRows,
                keepLines: false,
                maxRecordBytes: 1 << 20,
                onBadRecord: 'skip',
                modified: 'ignore',
                places: { lines: true },
                chunkBytes,
              });
            expect(await readPlaces(reader, splitOf(fileSystem, FILE), resume)).toEqual(places);
            if (of.spec.type !== 'ndjson') return;
            const at = 1 + (cut % Buffer.byteLength(text));
            const ranges = [
              splitOf(fileSystem, FILE, { endByte: at }),
              splitOf(fileSystem, FILE, { startByte: at }),
            ];
            const found = [];
            for (const range of ranges) found.push(...(await readPlaces(reader, range, resume)));
            expect(found).toEqual(places);
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  it('NDJSON and CSV in the kernel: thousands of rows', async () => {
    for (const of of CASES) {
      const fileSystem = memory();
      const { text, places } = build(
        of,
        Array.from({ length: 10_000 }, (_, i) => [`t${i}`, i % 997 === 3, 0]),
      );
      fileSystem.put(FILE, text);
      const format = await createInputFormat(of.spec);
      const reader = () =>
        new SplitReader({
          fileSystem,
          format,
          compression: 'none',
          schema: SCHEMA,
          batchRows: 8192,
          keepLines: false,
          maxRecordBytes: 1 << 20,
          onBadRecord: 'skip',
          modified: 'ignore',
          places: { lines: true },
        });
      expect(await readPlaces(reader, splitOf(fileSystem, FILE), false)).toEqual(places);
    }
  });

  for (const [type, file] of [
    ['parquet', 'parquet/pyarrow-v2-pages.parquet'],
    ['avro', 'avro/fastavro-deflate.avro'],
    ['arrow', 'arrow/pyarrow-plain.arrow'],
  ] as const) {
    it(`${type}: rows are numbered, refused ones included`, async () => {
      const fileSystem = localFileSystem('test');
      const path = new URL(`../../golden/${file}`, import.meta.url).pathname;
      const format = await createInputFormat({ type, compression: 'none' });
      const status = (await fileSystem.stat(path))!;
      const split: Split = {
        id: '1.0',
        fileId: '1',
        path,
        sizeBytes: status.sizeBytes,
        modifiedNs: String(status.modifiedNs),
        compression: null,
        startByte: 0,
        endByte: null,
        position: startPosition(0),
      };
      const numbersOf = async (nullable: boolean, batchRows: number) => {
        const reader = new SplitReader({
          fileSystem,
          format,
          compression: 'none',
          // What the files' generator made null in some rows: refused where it may not be.
          schema: { fields: [{ name: 's', type: { kind: 'string' }, nullable }] },
          batchRows,
          keepLines: false,
          maxRecordBytes: 1 << 20,
          onBadRecord: 'skip',
          modified: 'ignore',
          places: { lines: true },
        });
        await reader.open(split);
        const found: [number, unknown][] = [];
        for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
          const { lines, offsets } = reader.places;
          expect(offsets).toBeNull();
          for (let row = 0; row < batch.length; row++)
            found.push([lines![row]!, (batch.record(row) as { s: unknown }).s]);
        }
        return found;
      };
      const all = await numbersOf(true, 3);
      expect(all.map(([line]) => line)).toEqual(all.map((_, i) => i + 1));
      expect(await numbersOf(false, 4)).toEqual(all.filter(([, value]) => value !== null));
      expect(all.some(([, value]) => value === null)).toBe(true);
    });
  }
});
