import { expect, it } from 'vitest';
import { neededColumns } from '../../../lib/pipeline/needed-columns.ts';
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
  expect(neededColumns({ eventTime, sink: byTime })).toEqual(new Set(['ts']));
  expect(neededColumns({ eventTime, sink: byField })).toEqual(new Set(['ts', 'country']));
  expect(neededColumns({ eventTime: null, sink: { ...sink, bucket: { type: 'base_path' } } })).toEqual(
    new Set(),
  );
});

it('are all where code of the job may look at any', () => {
  expect(neededColumns({ eventTime, sink: { ...sink, bucket: custom } })).toBe(undefined);
  expect(neededColumns({ eventTime, sink: { ...sink, rolling: custom } })).toBe(undefined);
});
