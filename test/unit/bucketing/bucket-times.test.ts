import { describe, expect, test } from 'vitest';
import { createBucketTimes } from '../../../bucketing/index.ts';
import type { BucketSpec, PartitionTimeSpec } from '../../../lib/core/specs.ts';

const iso = (text: string) => Date.parse(text);
const eventTime = { column: 'ts', unit: 'ms' } as const;

function datetime(pattern: string, zone = 'UTC'): BucketSpec {
  return { type: 'datetime', time: 'event', pattern, zone };
}

/** As `start/end` in ISO 8601. */
function timeOf(bucket: BucketSpec, id: string, extractor: PartitionTimeSpec | null = null): string | null {
  const times = createBucketTimes(bucket, eventTime, extractor);
  if (times === null) return 'no times';
  const time = times(id);
  return time === null
    ? null
    : `${new Date(time.startMs).toISOString()}/${new Date(time.endMs).toISOString()}`;
}

describe('buckets by event time tell their time', () => {
  test.each([
    [
      "'dt='yyyy-MM-dd/'hour='HH",
      'dt=2026-11-22/hour=13',
      '2026-11-22T13:00:00.000Z/2026-11-22T14:00:00.000Z',
    ],
    ['yyyy-MM-dd--HH', '2026-11-22--23', '2026-11-22T23:00:00.000Z/2026-11-23T00:00:00.000Z'],
    ["'dt='yyyyMMdd", 'dt=20260228', '2026-02-28T00:00:00.000Z/2026-03-01T00:00:00.000Z'],
    ["'year='yyyy/'month='MM", 'year=2026/month=12', '2026-12-01T00:00:00.000Z/2027-01-01T00:00:00.000Z'],
    ['yyyy', '2026', '2026-01-01T00:00:00.000Z/2027-01-01T00:00:00.000Z'],
    ['yyyy-MM-dd/HH-mm', '2026-11-22/13-59', '2026-11-22T13:59:00.000Z/2026-11-22T14:00:00.000Z'],
  ])('%s: %s', (pattern, id, expected) => {
    expect(timeOf(datetime(pattern), id)).toBe(expected);
  });

  test('in the zone of the pattern, an hour that summer time repeats being one bucket of two', () => {
    expect(timeOf(datetime("'dt='yyyy-MM-dd", 'Europe/Berlin'), 'dt=2026-11-22')).toBe(
      '2026-11-21T23:00:00.000Z/2026-11-22T23:00:00.000Z',
    );
    expect(timeOf(datetime('yyyy-MM-dd--HH', 'Europe/Berlin'), '2026-10-25--02')).toBe(
      '2026-10-25T00:00:00.000Z/2026-10-25T02:00:00.000Z',
    );
    expect(timeOf(datetime('yyyy-MM-dd--HH', 'Europe/Berlin'), '2026-03-29--01')).toBe(
      '2026-03-29T00:00:00.000Z/2026-03-29T01:00:00.000Z',
    );
  });

  test('rows without event time have a bucket without time', () => {
    expect(timeOf(datetime("'dt='yyyy-MM-dd"), 'dt=__HIVE_DEFAULT_PARTITION__')).toBeNull();
    expect(timeOf(datetime('yyyy-MM-dd'), 'no-event-time')).toBeNull();
  });

  test('a pattern that tells no day tells no time; nor do processing time, other columns, the base path', () => {
    expect(timeOf(datetime("'hour='HH"), 'hour=13')).toBe('no times');
    expect(timeOf({ ...datetime('yyyy-MM-dd'), time: 'processing' } as BucketSpec, '2026-11-22')).toBe(
      'no times',
    );
    expect(timeOf({ type: 'base_path' }, '')).toBe('no times');
    const fields = [{ name: 'dt', column: 'other', transform: 'date' as const }];
    expect(timeOf({ type: 'fields', fields, keepFields: false }, 'dt=2026-11-22')).toBe('no times');
  });

  test('folders of fields, by the transforms of the event time', () => {
    const fields = [
      { name: 'country', column: 'country', transform: 'value' as const },
      { name: 'dt', column: 'ts', transform: 'date' as const },
      { name: 'h', column: 'ts', transform: 'hour' as const },
    ];
    expect(timeOf({ type: 'fields', fields, keepFields: false }, 'country=DE/dt=2026-11-22/h=07')).toBe(
      '2026-11-22T07:00:00.000Z/2026-11-22T08:00:00.000Z',
    );
  });
});

describe('I110: the time of a partition by a pattern over its values', () => {
  const custom: BucketSpec = { type: 'custom', module: '/x.js', options: null };
  const extractor = (pattern: string, format: string | null, zone = 'UTC'): PartitionTimeSpec => ({
    ...{ pattern, format, zone },
    spanMs: 3_600_000,
  });

  test.each([
    ['$dt $hour:00:00', null, 'dt=2026-11-22/hour=13', '2026-11-22T13:00:00.000Z'],
    ['$dt', null, 'dt=2026-11-22/country=DE', '2026-11-22T00:00:00.000Z'],
    ['$dt', 'yyyyMMdd', 'dt=20200503', '2020-05-03T00:00:00.000Z'],
    ['$d $hour:00:00', 'MM-dd-yyyy HH:mm:ss', 'd=05-03-2020/hour=8', '2020-05-03T08:00:00.000Z'],
    ['$dt_hour:00:00', null, 'dt_hour=2026-11-22 13', '2026-11-22T13:00:00.000Z'],
    ['$at', 'yyyy-MM-dd HH:mm', 'at=2026-11-22 13%3A30', '2026-11-22T13:30:00.000Z'],
  ])('%s as %s of %s', (pattern, format, id, start) => {
    const end = new Date(iso(start) + 3_600_000).toISOString();
    expect(timeOf(custom, id, extractor(pattern, format))).toBe(`${start}/${end}`);
  });

  test('in a zone of its own', () => {
    expect(timeOf(custom, 'dt=2026-11-22', extractor('$dt', 'yyyy-MM-dd', 'Asia/Tokyo'))).toBe(
      '2026-11-21T15:00:00.000Z/2026-11-21T16:00:00.000Z',
    );
  });

  test('values that are missing, or no time, tell none; a format that is none is refused', () => {
    expect(timeOf(custom, 'dt=2026-11-22', extractor('$dt $hour:00:00', null))).toBeNull();
    expect(timeOf(custom, 'dt=__HIVE_DEFAULT_PARTITION__', extractor('$dt', null))).toBeNull();
    expect(timeOf(custom, 'dt=yesterday', extractor('$dt', null))).toBeNull();
    expect(() => timeOf(custom, 'dt=1', extractor('$dt', 'yyyy-foo'))).toThrow(/no date-fns pattern/);
  });
});
