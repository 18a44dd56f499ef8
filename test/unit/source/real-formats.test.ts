/** The reader with the formats that ship: however a file is cut, chunked and resumed, the rows are those of one straight read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInputFormat, type StreamFormatSpec } from '../../../formats/input-format.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { Split } from '../../../lib/source/split.ts';
import { SplitPlanner } from '../../../lib/source/split-planner.ts';
import { SplitReader } from '../../../lib/source/split-reader.ts';
import { memory, splitOf } from './reading.ts';

const FILE = '/in/data';
const SCHEMA: Schema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: true },
    { name: 'name', type: { kind: 'string' }, nullable: true },
  ],
};
const TEXT_SCHEMA: Schema = { fields: [{ name: 'line', type: { kind: 'string' }, nullable: true }] };

const csv: StreamFormatSpec = {
  type: 'csv',
  delimiter: ',',
  quote: '"',
  header: true,
  columns: null,
  nullText: null,
  quotedNewlines: false,
  compression: 'none',
};

interface Case {
  readonly name: string;
  readonly spec: StreamFormatSpec;
  readonly schema: Schema;
  readonly head: string;
  readonly line: (id: number, name: string) => string;
}

const CASES: readonly Case[] = [
  {
    name: 'text',
    spec: { type: 'text', column: 'line', compression: 'none' },
    schema: TEXT_SCHEMA,
    head: '',
    line: (id, name) => `${id} ${name}`,
  },
  {
    name: 'ndjson',
    spec: { type: 'ndjson', compression: 'none' },
    schema: SCHEMA,
    head: '',
    line: (id, name) => JSON.stringify({ id, name }),
  },
  {
    name: 'csv with a header',
    spec: csv,
    schema: SCHEMA,
    head: 'name,id\n',
    line: (id, name) => `"${name}",${id}`,
  },
  {
    name: 'csv without one, with line ends in quotes',
    spec: { ...csv, header: false, columns: ['id', 'name'], quotedNewlines: true },
    schema: SCHEMA,
    head: '',
    line: (id, name) => `${id},"${name}\n${name}"`,
  },
];

const rowsOf = fc.array(fc.tuple(fc.nat(1_000_000), fc.stringMatching(/^[a-zé😀 ]{0,20}$/u)), {
  maxLength: 40,
});

describe('formats read in pieces', () => {
  for (const { name, spec, schema, head, line } of CASES) {
    it(`${name}: every row once, whatever the pieces`, async () => {
      const format = await createInputFormat(spec);
      await fc.assert(
        fc.asyncProperty(
          rowsOf,
          fc.constantFrom('\n', '\r\n'),
          fc.boolean(),
          fc.integer({ min: 1, max: 80 }),
          fc.integer({ min: 1, max: 100 }),
          fc.integer({ min: 1, max: 6 }),
          async (rows, end, endsLine, splitSizeBytes, chunkBytes, batchRows) => {
            const fileSystem = memory();
            const body = rows.map(([id, text]) => line(id, text)).join(end);
            fileSystem.put(FILE, head + body + (endsLine && rows.length > 0 ? end : ''));
            const reader = (pieces: boolean) =>
              new SplitReader({
                fileSystem,
                format,
                compression: 'none',
                schema,
                batchRows: pieces ? batchRows : 10_000,
                keepLines: false,
                maxRecordBytes: 1 << 20,
                onBadRecord: 'fail',
                modified: 'ignore',
                chunkBytes: pieces ? chunkBytes : 1 << 16,
              });
            const read = async (split: Split, pieces: boolean, resume: boolean): Promise<string[]> => {
              const found: string[] = [];
              let from = split;
              for (let open = reader(pieces), opened = await open.open(from); opened; ) {
                const batch = await open.next();
                if (batch === null) break;
                for (let row = 0; row < batch.length; row++) {
                  found.push(
                    JSON.stringify(batch.record(row), (_, value) =>
                      typeof value === 'bigint' ? String(value) : value,
                    ),
                  );
                }
                if (!resume) continue;
                from = JSON.parse(JSON.stringify(open.split())) as Split;
                await open.close();
                open = reader(pieces);
                opened = await open.open(from);
              }
              return found;
            };
            const whole = splitOf(fileSystem, FILE, { compression: 'none' });
            const straight = await read(whole, false, false);
            expect(straight).toHaveLength(rows.length);

            const planner = new SplitPlanner({
              fileSystem,
              splittable: format.splittable,
              compression: 'none',
              splitSizeBytes,
              followAppends: false,
              maxRecordBytes: 1 << 20,
            });
            const pieces: string[] = [];
            for (let rest: Split | null = whole; rest !== null; ) {
              const [range, next]: [Split, Split | null] = planner.cut(rest);
              pieces.push(...(await read(range, true, true)));
              rest = next;
            }
            expect(pieces).toEqual(straight);
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});
