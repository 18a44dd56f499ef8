/** Which span of event time a bucket holds, told by its folder's name alone, so that a restart knows it too. */
import { TZDate } from '@date-fns/tz';
import { UTCDateMini } from '@date-fns/utc/date/mini';
import { format, isValid, parse } from 'date-fns';
import { SluiceError } from '../lib/core/errors.ts';
import type { BucketSpec, EventTimeSpec, PartitionField, PartitionTimeSpec } from '../lib/core/specs.ts';
import { parsePartition } from './partition-path.ts';
import { PlainPattern } from './plain-pattern.ts';

/** [startMs, endMs), milliseconds since 1970. */
export interface BucketTime {
  readonly startMs: number;
  readonly endMs: number;
}

/** The time of a bucket; null where its name tells none (`__HIVE_DEFAULT_PARTITION__`). */
export type BucketTimes = (bucketId: string) => BucketTime | null;

type Unit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second';

const UNITS: readonly Unit[] = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'];
const UNIT_OF_LETTER: Readonly<Record<string, Unit>> = {
  ...{ y: 'year', Y: 'year', u: 'year', R: 'year', Q: 'quarter', q: 'quarter', M: 'month', L: 'month' },
  ...{ w: 'week', I: 'week', d: 'day', D: 'day', E: 'day', i: 'day', e: 'day', c: 'day', P: 'day' },
  ...{ h: 'hour', H: 'hour', k: 'hour', K: 'hour', m: 'minute', p: 'minute', s: 'second', t: 'second' },
};
/** Quoted text, two quotes in a row, or any other character: as date-fns cuts a pattern. */
const TOKENS = /''|'(?:''|[^'])+(?:'|$)|./gs;
/** Times whose buckets have to hold them, or the pattern tells no time. */
const SAMPLES = ['2026-11-22T13:14:15.678Z', '2024-02-29T23:59:59.999Z', '1999-12-31T00:00:00.000Z'].map(
  (text) => Date.parse(text),
);
const HOUR_MS = 3_600_000;
/** Names remembered; beyond, all are forgotten. */
const MAX_REMEMBERED = 65_536;

/**
 * How the buckets of a job tell their time; null where they tell none: by processing time, by other columns, custom.
 * @param extractor instead, where the job file has one
 * @throws SluiceError JOB_INVALID for an extractor whose format cannot be used
 */
export function createBucketTimes(
  bucket: BucketSpec,
  eventTime: EventTimeSpec | null,
  extractor: PartitionTimeSpec | null,
): BucketTimes | null {
  if (extractor !== null) return remembered(extracted(extractor));
  if (bucket.type === 'datetime' && bucket.time === 'event')
    return remembered(proven(byPattern(bucket.pattern, bucket.zone), bucket.pattern, bucket.zone));
  if (bucket.type === 'fields' && eventTime !== null) {
    const pattern = patternOfFields(bucket.fields, eventTime.column);
    return pattern === null ? null : remembered(extracted(pattern));
  }
  return null;
}

/** Flink: PartitionTimeExtractor with timestamp-pattern and timestamp-formatter. */
function extracted({ pattern, format: given, zone, spanMs }: PartitionTimeSpec): BucketTimes {
  const formats = given === null ? ['yyyy-MM-dd HH:mm:ss', 'yyyy-MM-dd'] : [given];
  const readers = formats.map((each) => instantReader(each, zone));
  for (const each of formats) {
    try {
      format(dateIn(zone, 0), each);
    } catch (cause) {
      throw new SluiceError('JOB_INVALID', `partition_time.format '${each}' is no date-fns pattern`, {
        cause,
        hint: 'such as yyyy-MM-dd HH:mm:ss, or yyyyMMdd',
      });
    }
  }
  return (bucketId) => {
    const values = new Map((parsePartition(bucketId) ?? []).map(({ key, value }) => [key, value]));
    let complete = true;
    // The longest name that is a key: `$dt_hour` is not `$dt` and `_hour` where there is a key `dt_hour`.
    const text = pattern.replace(/\$([A-Za-z0-9_]+)/g, (_, name: string) => {
      for (let length = name.length; length > 0; length--) {
        const value = values.get(name.slice(0, length));
        if (value !== undefined && value !== null) return value + name.slice(length);
      }
      complete = false;
      return '';
    });
    if (!complete) return null;
    for (const instantOf of readers) {
      const startMs = instantOf(text);
      if (startMs !== null) return { startMs, endMs: startMs + spanMs };
    }
    return null;
  };
}

/** Buckets that DatetimeAssigner names. */
function byPattern(pattern: string, zone: string): BucketTimes {
  const unit = smallestUnit(pattern);
  const instantOf = instantReader(pattern, zone);
  return (bucketId) => {
    const readMs = instantOf(bucketId);
    if (readMs === null) return null;
    // Of an hour that the end of summer time repeats, date-fns reads the second.
    const twice = zone !== 'UTC' && format(dateIn(zone, readMs - HOUR_MS), pattern) === bucketId;
    return { startMs: twice ? readMs - HOUR_MS : readMs, endMs: nextUnit(readMs, unit, zone) };
  };
}

/** A pattern without year or day (`HH`) can be read back, and means another day then. */
function proven(times: BucketTimes, pattern: string, zone: string): BucketTimes | null {
  const holds = SAMPLES.every((instantMs) => {
    const time = times(format(dateIn(zone, instantMs), pattern));
    return time !== null && instantMs >= time.startMs && instantMs < time.endMs;
  });
  return holds ? times : null;
}

/** A Date whose fields are those that clocks in the zone show. */
function dateIn(zone: string, instantMs: number): Date {
  // Nearly all jobs: a TZDate would ask Intl, whose first use takes 40 ms of a start.
  return zone === 'UTC' ? new UTCDateMini(instantMs) : new TZDate(instantMs, zone);
}

/** Reads texts that a pattern wrote, as milliseconds since 1970; null where they do not tell. */
function instantReader(pattern: string, zone: string): (text: string) => number | null {
  const plain = zone === 'UTC' ? PlainPattern.of(pattern) : null;
  return (text) => plain?.parse(text) ?? parsed(text, pattern, zone);
}

function parsed(text: string, pattern: string, zone: string): number | null {
  try {
    const otherFields = zone === 'UTC' ? new UTCDateMini(2000, 0, 1) : new TZDate(2000, 0, 1, zone);
    const date = parse(text, pattern, otherFields, { in: (value) => dateIn(zone, Number(new Date(value))) });
    return isValid(date) ? date.getTime() : null;
  } catch {
    // Fields that date-fns writes and does not read (O, z).
    return null;
  }
}

function smallestUnit(pattern: string): Unit {
  let smallest = 0;
  for (const token of pattern.match(TOKENS) ?? []) {
    const unit = UNIT_OF_LETTER[token];
    if (unit !== undefined) smallest = Math.max(smallest, UNITS.indexOf(unit));
  }
  return UNITS[smallest]!;
}

/** By the clock on the wall: an hour that the end of summer time repeats is one bucket of two hours. */
function nextUnit(startMs: number, unit: Unit, zone: string): number {
  const date = dateIn(zone, startMs);
  switch (unit) {
    case 'year':
      return date.setFullYear(date.getFullYear() + 1);
    case 'quarter':
      return date.setMonth(date.getMonth() + 3);
    case 'month':
      return date.setMonth(date.getMonth() + 1);
    case 'week':
      return date.setDate(date.getDate() + 7);
    case 'day':
      return date.setDate(date.getDate() + 1);
    case 'hour':
      return date.setHours(date.getHours() + 1);
    case 'minute':
      return date.setMinutes(date.getMinutes() + 1);
    case 'second':
      return date.setSeconds(date.getSeconds() + 1);
  }
}

/** What `{dt: 'ts:date'}, {hour: 'ts:hour'}` say of the event time; null where they do not tell a day, month or year. */
function patternOfFields(fields: readonly PartitionField[], column: string): PartitionTimeSpec | null {
  const named = (transform: PartitionField['transform']) =>
    fields.find((field) => field.column === column && field.transform === transform)?.name;
  const date = named('date');
  const hour = named('hour');
  const plain = (name: string) => /^[A-Za-z0-9_]+$/.test(name);
  const zone = 'UTC';
  if (date === undefined || !plain(date) || (hour !== undefined && !plain(hour))) return null;
  if (hour === undefined) return { pattern: `$${date}`, format: 'yyyy-MM-dd', zone, spanMs: 24 * HOUR_MS };
  return { pattern: `$${date} $${hour}`, format: 'yyyy-MM-dd HH', zone, spanMs: HOUR_MS };
}

function remembered(times: BucketTimes | null): BucketTimes | null {
  if (times === null) return null;
  const known = new Map<string, BucketTime | null>();
  return (bucketId) => {
    let time = known.get(bucketId);
    if (time === undefined) {
      time = times(bucketId);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(bucketId, time);
    }
    return time;
  };
}
