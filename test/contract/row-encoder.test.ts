import { csvFormat } from '../../formats/csv/encoder.ts';
import { ndjsonFormat } from '../../formats/ndjson/encoder.ts';
import { rowEncoder } from '../../formats/row-encoder.ts';
import { textFormat } from '../../formats/text/encoder.ts';
import { Batch } from '../../lib/core/batch.ts';
import { parseDataType, type Schema } from '../../lib/core/data-type.ts';
import { columnsOf } from '../../lib/core/values.ts';
import { rowEncoderSuite } from './suites/row-encoder.ts';

const schema: Schema = {
  fields: Object.entries({
    text: 'string',
    n: 'int64',
    x: 'float64',
    d: 'decimal(10,2)',
    t: 'timestamp(us)',
    l: 'list<struct<a:string,b:binary>>',
  }).map(([name, type]) => ({ name, type: parseDataType(type), nullable: true })),
};

function batches(): Batch[] {
  return [0, 7, 20].map((first) => {
    const records = Array.from({ length: 10 }, (_, i) => ({
      text: i === 3 ? null : `value "${i + first}", \\ é`,
      n: BigInt(i) * 2n ** 59n,
      x: i / 3,
      d: `${i}.25`,
      t: i === 5 ? null : BigInt(i + first) * 86_399_999_999n,
      l: i % 2 === 0 ? [{ a: 'x', b: Uint8Array.of(i) }, null] : null,
    }));
    return new Batch(schema, columnsOf(schema, records), records.length);
  });
}

const encoderOf = {
  ndjson: () => ndjsonFormat().createEncoder(schema),
  'ndjson, hive': () => ndjsonFormat({ dialect: 'hive' }).createEncoder(schema),
  csv: () => csvFormat().createEncoder(schema),
  'csv, hive': () => csvFormat({ dialect: 'hive', delimiter: ';', nullText: 'NULL' }).createEncoder(schema),
  text: () => textFormat({ column: 'text' }).createEncoder(schema),
  'by record': () => rowEncoder<{ text: string; n: bigint }>('.txt', ({ text, n }) => `${text}|${n}\n`),
};

for (const [name, createEncoder] of Object.entries(encoderOf)) {
  rowEncoderSuite(name, () => ({ encoder: createEncoder(), batches: batches() }));
}
