import { expect, it } from 'vitest';
import { neededColumns } from '../../../lib/pipeline/needed-columns.ts';
import { parseExpression } from '../../../lib/transform/expression/parse.ts';
import { testJob } from '../../support/job.ts';

const sink = testJob('/lake').sink;
const eventTime = { column: 'ts', unit: 'ms' } as const;
const custom = { type: 'custom', module: '/m.js', options: null } as const;

it('are those of event time and of the folders', () => {
  const byTime = {
    ...sink,
    bucket: { type: 'datetime', time: 'event', pattern: 'yyyy', zone: 'UTC' },
  } as const;
  const byField = {
    ...sink,
    bucket: {
      type: 'fields',
      fields: [{ name: 'land', column: 'country', transform: 'value' }],
      keepFields: true,
    },
  } as const;
  expect(neededColumns({ eventTime, transform: [], sink: byTime })).toEqual(new Set(['ts']));
  expect(neededColumns({ eventTime, transform: [], sink: byField })).toEqual(new Set(['ts', 'country']));
  expect(
    neededColumns({ eventTime: null, transform: [], sink: { ...sink, bucket: { type: 'base_path' } } }),
  ).toEqual(new Set());
});

it('are all where code of the job may look at any', () => {
  expect(neededColumns({ eventTime, transform: [], sink: { ...sink, bucket: custom } })).toBe(undefined);
  expect(neededColumns({ eventTime, transform: [], sink: { ...sink, rolling: custom } })).toBe(undefined);
});

it('are those of filters too', async () => {
  const parsed = await parseExpression('a > 1 || u.x == null');
  if (!parsed.ok) throw new Error(parsed.message);
  const { expression } = parsed;
  const transform = [{ kind: 'filter', text: '', expression }] as const;
  const plain = { ...sink, bucket: { type: 'base_path' } } as const;
  expect(neededColumns({ eventTime, transform, sink: plain })).toEqual(new Set(['ts', 'a', 'u']));
});
