import path from 'node:path';
import { createBucketAssigner } from '../../bucketing/index.ts';
import { Batch } from '../../lib/core/batch.ts';
import { appendColumnRange, emptyColumn } from '../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../lib/core/data-type.ts';
import type { BucketSpec } from '../../lib/core/specs.ts';
import { columnsOf } from '../../lib/core/values.ts';
import { bucketAssignerSuite } from './suites/bucket-assigner.ts';

const schema: Schema = {
  fields: [
    { name: 'country', type: parseDataType('string'), nullable: true },
    { name: 'ts', type: parseDataType('timestamp(ms)'), nullable: true },
    { name: 'n', type: parseDataType('int64'), nullable: true },
  ],
};

const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-11-01T04:30:00Z');
const ROWS = 8;

function batchFrom(first: number): Batch {
  const countries = ['DE', 'FR', null, '', 'a/b', '..', 'ü', 'DE'];
  const records = Array.from({ length: ROWS }, (_, i) => ({
    country: countries[(i + first) % countries.length],
    ts: i % 5 === 4 ? null : new Date(START_MS + (i + first) * HOUR_MS),
    n: BigInt(i % 3) * 2n ** 60n,
  }));
  return new Batch(schema, columnsOf(schema, records), ROWS);
}

function single(batch: Batch, row: number): Batch {
  const columns = batch.columns.map((column) => {
    return appendColumnRange(emptyColumn(column.type), column, row, row + 1);
  });
  return new Batch(schema, columns, 1);
}

const timestampsMs = Float64Array.from({ length: ROWS }, (_, i) => {
  return i === 3 ? Number.NaN : START_MS + i * 0.4 * HOUR_MS;
});

const SPECS: Readonly<Record<string, BucketSpec>> = {
  'base path': { type: 'base_path' },
  'processing time': { type: 'datetime', time: 'processing', pattern: 'yyyy-MM-dd--HH', zone: 'UTC' },
  'event time': {
    type: 'datetime',
    time: 'event',
    pattern: "'dt='yyyy-MM-dd/'hour='HH",
    zone: 'America/New_York',
  },
  fields: {
    type: 'fields',
    fields: [
      { name: 'country', column: 'country', transform: 'value' },
      { name: 'dt', column: 'ts', transform: 'date' },
      { name: 'n', column: 'n', transform: 'value' },
    ],
    keepFields: false,
  },
  'custom module': {
    type: 'custom',
    module: path.join(import.meta.dirname, 'modules', 'by-country.mjs'),
    options: { fallback: 'none' },
  },
};

for (const [name, spec] of Object.entries(SPECS)) {
  bucketAssignerSuite(name, async () => ({
    assigner: await createBucketAssigner(spec, schema),
    batches: [batchFrom(0), batchFrom(3), batchFrom(5)],
    context: { processingTimeMs: START_MS, watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs },
    single,
    singleContext: (context, row) => ({ ...context, timestampsMs: timestampsMs.slice(row, row + 1) }),
  }));
}
