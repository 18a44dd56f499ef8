import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_REMEMBERED } from '../../../bucketing/bucket-ids.ts';
import { type DatetimeAssignerOptions, datetimeAssigner } from '../../../bucketing/datetime.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { bucketsOf, eventTimes } from './assigning.ts';

function byEvent(options: DatetimeAssignerOptions, ...instants: (string | number | null)[]): string[] {
  const { batch, context } = eventTimes(...instants);
  return bucketsOf(datetimeAssigner({ time: 'event', ...options }), batch, context);
}

/** What a wall clock in the zone shows, by Intl alone. */
function wallClock(zone: string): (instantMs: number) => Record<string, string> {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (instantMs) =>
    Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
}

const ZONES = [
  'UTC',
  'America/New_York',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Pacific/Chatham',
  'Africa/Monrovia',
  'Europe/Dublin',
  'Pacific/Apia',
  'Africa/Casablanca',
];

describe('datetime assigner', () => {
  test('an instant that a double can hardly tell from the next hour is in its own', () => {
    expect(byEvent({ zone: 'America/New_York' }, -1e-9, 3_599_999.999_999_999, 1.5)).toEqual([
      '1969-12-31--18',
      '1969-12-31--19',
      '1969-12-31--19',
    ]);
  });

  test('A18: the folder is the processing time, formatted by pattern and zone', () => {
    const processingTimeMs = Date.parse('2026-11-23T02:30:00Z');
    const batch = Batch.ofObjects([1, 2, 3]);
    expect(bucketsOf(datetimeAssigner(), batch, { processingTimeMs })).toEqual(
      Array(3).fill('2026-11-23--02'),
    );
    const options = { zone: 'America/New_York', pattern: 'yyyy-MM-dd-HH' };
    expect(bucketsOf(datetimeAssigner(options), batch, { processingTimeMs })).toEqual(
      Array(3).fill('2026-11-22-21'),
    );
  });

  test('levels and quoted text', () => {
    const pattern = "'dt='yyyy-MM-dd/'hour='HH";
    expect(
      byEvent({ pattern }, '2026-11-22T13:59:59.999Z', '2026-11-22T14:00:00Z', '2026-11-22T13:00:00Z'),
    ).toEqual(['dt=2026-11-22/hour=13', 'dt=2026-11-22/hour=14', 'dt=2026-11-22/hour=13']);
    expect(byEvent({ pattern: "yyyy'/'MM/'it''s'" }, '2026-11-22')).toEqual(["2026/11/it's"]);
  });

  test('each row goes by its own time, not by its batch', () => {
    const instants = ['2026-01-01T00:00:00Z', '2025-12-31T23:59:59.999Z', '2026-01-01T00:59:59.999Z'];
    expect(byEvent({}, ...instants)).toEqual(['2026-01-01--00', '2025-12-31--23', '2026-01-01--00']);
  });

  test('times of one text share a bucket: the repeated hour in autumn, a pattern of the hour alone', () => {
    const zone = 'America/New_York';
    expect(byEvent({ zone }, '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z', '2026-11-01T07:30:00Z')).toEqual(
      ['2026-11-01--01', '2026-11-01--01', '2026-11-01--02'],
    );
    expect(byEvent({ pattern: 'HH' }, '2026-11-01T05:30:00Z', '2026-11-02T05:30:00Z')).toEqual(['05', '05']);
    // With the offset in the text they are told apart.
    const pattern = 'yyyy-MM-dd--HHxx';
    expect(byEvent({ zone, pattern }, '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z')).toEqual([
      '2026-11-01--01-0400',
      '2026-11-01--01-0500',
    ]);
  });

  test('changes of the clock at one minute past midnight (St. John’s until 2011)', () => {
    const zone = 'America/St_Johns';
    // 2010-11-07 00:01 NDT (02:31 UTC) became 2010-11-06 23:01 NST.
    expect(byEvent({ zone }, '2010-11-07T02:30:30Z', '2010-11-07T02:31:00Z', '2010-11-07T03:30:00Z')).toEqual(
      ['2010-11-07--00', '2010-11-06--23', '2010-11-07--00'],
    );
  });

  test.each([
    ['yyyy-MM-dd', 'no-event-time'],
    ['yyyy/MM/dd', 'no-event-time/no-event-time/no-event-time'],
    ["'dt='yyyy-MM-dd/'hour='HH", 'dt=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__'],
    ["'events'/yyyy-MM-dd", 'events/no-event-time'],
    ["yyyy/'hour='HH", 'no-event-time/hour=__HIVE_DEFAULT_PARTITION__'],
  ])('rows without event time with %s go to %s', (pattern, bucket) => {
    const buckets = byEvent({ pattern }, null, '2026-01-02', null, null);
    expect(buckets.filter((_, row) => row !== 1)).toEqual([bucket, bucket, bucket]);
    expect(buckets[1]).not.toBe(bucket);
  });

  test.each([
    [{ pattern: 'YYYY-MM-DD' }, /Use `yyyy` instead of `YYYY` \(in `YYYY-MM-DD`\) for formatting years; see/],
    [{ pattern: 'yyyy-MM-dd/' }, /ends with/],
    [{ pattern: "'.'yyyy" }, /starts with/],
    [{ pattern: "'_day='dd" }, /starts with/],
    [{ pattern: "'../'yyyy" }, /'\.\.'/],
    [{ pattern: "yyyy'\\'" }, /backslash/],
    [{ pattern: 'yyyy-nn' }, /unescaped latin/],
    [{ zone: 'Mars/Olympus' }, /time zone/],
  ])('refuses %j', (options, message) => {
    const make = () => datetimeAssigner(options);
    expect(make).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
    expect(make).toThrow(message);
  });

  test('event time that is not there at all is a mistake in the job; a time without a date a bad record', () => {
    const assigner = datetimeAssigner({ time: 'event' });
    expect(() => bucketsOf(assigner, Batch.ofObjects([1]))).toThrow(
      expect.objectContaining({ code: 'JOB_INVALID' }),
    );
    const { batch, context } = eventTimes(0, 9e15);
    expect(() => bucketsOf(assigner, batch, context)).toThrow(
      expect.objectContaining({ code: 'BAD_RECORD', details: { row: 1 } }),
    );
  });

  test('more buckets than are remembered', () => {
    const assigner = datetimeAssigner({ time: 'event', pattern: 'yyyyMMddHHmmss' });
    for (let round = 0; round < 3; round++) {
      const instants = Array.from({ length: MAX_REMEMBERED / 2 + 10 }, (_, i) => (round * 40_000 + i) * 1000);
      const { batch, context } = eventTimes(...instants);
      const buckets = bucketsOf(assigner, batch, context);
      const text = (ms: number) => new Date(ms).toISOString().replaceAll(/[-T:]|\..*/g, '');
      for (const row of [0, 9999, instants.length - 1]) expect(buckets[row]).toBe(text(instants[row]!));
    }
  });

  describe.each(ZONES)('%s', (zone) => {
    const clock = wallClock(zone);

    test('is what Intl says, at random instants and around every change of the clock (property)', () => {
      // A day in hours, around a random day: transitions are hit again and again.
      const near = fc
        .tuple(
          fc.integer({ min: -6575, max: 32_000 }),
          fc.array(fc.integer({ min: -3_600_000, max: 90_000_000 })),
        )
        .map(([day, offsets]) => offsets.map((offset) => day * 86_400_000 + offset));
      const anywhere = fc.array(fc.integer({ min: -2e12, max: 4e12 }));
      const patterns: [string, (parts: Record<string, string>) => string][] = [
        ['yyyy-MM-dd--HH', (p) => `${p.year}-${p.month}-${p.day}--${p.hour}`],
        ["'dt='yyyyMMdd", (p) => `dt=${p.year}${p.month}${p.day}`],
        ['HH-mm', (p) => `${p.hour}-${p.minute}`],
        ['dd-HH-mm-ss', (p) => `${p.day}-${p.hour}-${p.minute}-${p.second}`],
      ];
      const assigners = patterns.map(([pattern]) => datetimeAssigner({ time: 'event', pattern, zone }));
      fc.assert(
        fc.property(fc.oneof(near, anywhere), (instants) => {
          const { batch, context } = eventTimes(...instants);
          const parts = instants.map(clock);
          patterns.forEach(([, expected], i) => {
            expect(bucketsOf(assigners[i]!, batch, context)).toEqual(parts.map(expected));
          });
        }),
        { numRuns: 120 },
      );
    });

    test('is what Intl says on both sides of each change from 1960 to 2040', () => {
      const assigner = datetimeAssigner({ time: 'event', zone, pattern: 'yyyy-MM-dd--HH' });
      const instants: number[] = [];
      let before = '';
      // Every quarter of an hour would take long; days whose length differs are looked at by the minute.
      for (let day = -3653; day < 25_567; day += 1) {
        const { hour, minute, second } = clock(day * 86_400_000);
        const now = `${hour}:${minute}:${second}`;
        if (before !== '' && now !== before) {
          for (let m = -1; m <= 1440; m += 7) instants.push((day - 1) * 86_400_000 + m * 60_000);
        }
        before = now;
      }
      const { batch, context } = eventTimes(...instants);
      const buckets = bucketsOf(assigner, batch, context);
      instants.forEach((instant, row) => {
        const p = clock(instant);
        const want = `${p.year}-${p.month}-${p.day}--${p.hour}`;
        if (buckets[row] !== want) expect(`${instant}: ${buckets[row]}`).toBe(`${instant}: ${want}`);
      });
      if (zone !== 'UTC') expect(instants.length).toBeGreaterThan(0);
    });
  });
});
