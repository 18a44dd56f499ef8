/** CSV read with the kernel and without: the same rows, the same refusals, at the same places. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvDecoder, type CsvTuning } from '../../../formats/csv/decoder.ts';
import type { CsvSpec } from '../../../formats/csv/spec.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { InputFormat } from '../../../lib/core/decoder.ts';
import { type DecodeOptions, decodeAll } from '../../support/decode.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';

function decode(text: string, schema: Schema, csv: CsvSpec, tuning: CsvTuning, options: DecodeOptions) {
  const format: InputFormat = {
    type: 'csv',
    splittable: false,
    createDecoder: (decoderOptions) => new CsvDecoder(decoderOptions, csv, tuning),
    inferSchema: () => schema,
  };
  return decodeAll(format, schema, Buffer.from(text), options);
}

const schema = schemaOf({
  ts: 'timestamp(ms)',
  us: 'timestamp(us)',
  day: 'date',
  flag: 'boolean',
  small: 'int32',
  large: 'int64',
  ratio: 'float64',
  half: 'float32',
  name: 'string',
  absent: 'string',
});
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40 }).map((value) => value.replace(/[",\n\r;|\t]/g, '')) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map((value) => `"${value.replaceAll('"', '""')}"`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'a"b', 'é'.repeat(9), '\u0001', '"', ' x ', 'NULL') },
);
const oddNumber = fc.constantFrom(
  '',
  '+5',
  '007',
  '1e3',
  '-0',
  '1.',
  '.5',
  '1e400',
  'x',
  '99999999999999999999',
  '2147483648',
  '12345678901234567',
  '1.5',
);
const oddTime = fc.constantFrom(
  '',
  '2026-11-22',
  '2026-11-22 13:14',
  '2026-11-22T13:14:15+02:00',
  '2026-02-30T00:00:00Z',
  '2026-11-22 24:00:00',
  '2026-11-22T13:14:60Z',
  '2026-11-22t13:14:15.1234567z',
  'x',
);
const time = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((value) => value.toISOString());
const mostly = (usual: fc.Arbitrary<string>, odd: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const record = fc.tuple(
  mostly(
    fc.oneof(
      time,
      time.map((value) => value.replace('T', ' ').replace(/\.\d+Z$/, '')),
    ),
    oddTime,
  ),
  mostly(
    time.map((value) => value.replace('Z', '123Z')),
    oddTime,
  ),
  mostly(
    time.map((value) => value.slice(0, 10)),
    oddTime,
  ),
  mostly(fc.constantFrom('true', 'false'), fc.constantFrom('TRUE', '', 'yes', 'truex')),
  mostly(fc.integer().map(String), oddNumber),
  mostly(fc.oneof(fc.maxSafeInteger(), fc.integer()).map(String), oddNumber),
  mostly(
    fc
      .oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer().map((n) => n / 100),
      )
      .map(String),
    oddNumber,
  ),
  mostly(fc.float({ noNaN: true, noDefaultInfinity: true }).map(String), oddNumber),
  text,
  text,
);
const HEADER = ['ts', 'us', 'day', 'flag', 'small', 'large', 'ratio', 'half', 'name', 'passed over'];

describe('the kernel', { timeout: 60_000 }, () => {
  it('gives what the decoder gives without it', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 60 }),
        fc.constantFrom(',', ';', '|', '\t', '.'),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom<string | null>(null, 'NULL', '0'),
        fc.constantFrom(1, 3, 7, 1000),
        fc.constantFrom(60, 1000, 1_000_000),
        fc.boolean(),
        (records, delimiter, lineEnd, nullText, batchRows, piece, blankLines) => {
          const lines = [HEADER, ...records].map((fields) => fields.join(delimiter));
          const file = lines.join(blankLines ? lineEnd + lineEnd : lineEnd) + lineEnd;
          const csv = { ...csvInputSpec, delimiter, nullText };
          const [kernel, plain] = [true, false].map((use) =>
            decode(file, schema, csv, { kernel: use }, { batchRows, piece }),
          );
          expect(kernel!.rows).toEqual(plain!.rows);
          expect(kernel!.bad).toEqual(plain!.bad);
          expect(kernel!.records).toBe(plain!.records);
          expect(kernel!.positions.at(-1)).toEqual(plain!.positions.at(-1));
        },
      ),
      { numRuns: 120 },
    );
  });

  it('reads many batches, more values than a dictionary takes, and nulls', () => {
    const many = schemaOf({ id: 'int64', few: 'string', many: 'string' });
    const line = (i: number) => [i, i % 5 === 0 ? '' : `value ${i % 31}`, `user ${(i * 7919) % 25_000}`];
    const file = `id,few,many\n${Array.from({ length: 30_000 }, (_, i) => `${line(i).join(',')}\n`).join('')}`;
    const { rows, bad } = decode(
      file,
      many,
      csvInputSpec,
      { kernel: true },
      { batchRows: 8192, piece: 1 << 20 },
    );
    expect(bad).toEqual([]);
    expect(rows.length).toBe(30_000);
    rows.forEach((row, i) => {
      const [id, few, user] = line(i);
      expect(row).toEqual({ id: BigInt(id!), few: few === '' ? null : few, many: user });
    });
  });

  it('reads files of one column, in which a blank line is no record', () => {
    for (const kernel of [true, false]) {
      const { rows } = decode('a\n1\n\n2\r\n\r\n3\n', schemaOf({ a: 'int32' }), csvInputSpec, { kernel }, {});
      expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
    }
  });

  it('takes the column that counts where a name stands twice', () => {
    const twice = { ...csvInputSpec, header: false, columns: ['a', 'a', 'b'] };
    const [kernel, plain] = [true, false].map((use) =>
      decode('1,2,x\n3,4,y\n', schemaOf({ a: 'int32', b: 'string' }), twice, { kernel: use }, {}),
    );
    expect(kernel).toEqual(plain);
    expect(plain!.rows.length).toBe(2);
  });
});
