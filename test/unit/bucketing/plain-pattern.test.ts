import { UTCDateMini } from '@date-fns/utc/date/mini';
import { format, isValid, parse } from 'date-fns';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainPattern } from '../../../bucketing/plain-pattern.ts';

const PATTERNS = [
  'yyyy-MM-dd--HH',
  "'dt='yyyy-MM-dd/'hour='HH",
  "yyyyMMddHHmmss'Z'",
  "'year='yyyy/'month='MM/'day='dd",
  "'it''s 'yyyy",
  "dd.MM.yyyy ''HH''",
  'HH/yyyy',
  '2026-yyyy-MM-dd',
];
const FOREIGN = [
  'yyyy-M-d',
  'yy-MM-dd',
  'HH',
  "'year='",
  'yyyy yyyy',
  'yyyy-DDD',
  'yyyy-MM-do',
  'YYYY',
  'uuuu',
  "yyyy'a'\n'b'",
];

function byDateFns(text: string, pattern: string): number | null {
  const date = parse(text, pattern, new UTCDateMini(2000, 0, 1), { in: (value) => new UTCDateMini(+value) });
  return isValid(date) ? date.getTime() : null;
}

const instants = fc.integer({ min: Date.UTC(100, 0, 1), max: Date.UTC(10_000, 0, 1) - 1 });

describe.each(PATTERNS)('%s', (pattern) => {
  const plain = PlainPattern.of(pattern)!;

  it('writes and reads what date-fns does', () => {
    fc.assert(
      fc.property(instants, (utcMs) => {
        const text = format(new UTCDateMini(utcMs), pattern);
        expect(plain.format(utcMs)).toBe(text);
        expect(plain.parse(text)).toBe(byDateFns(text, pattern));
      }),
    );
  });

  it('reads no text that date-fns takes for another time', () => {
    fc.assert(
      fc.property(instants, fc.nat(30), fc.constantFrom(...'0123456789-/ ='), (utcMs, at, character) => {
        const text = plain.format(utcMs)!;
        const altered = text.slice(0, at) + character + text.slice(at + 1);
        const read = plain.parse(altered);
        if (read !== null) expect(read).toBe(byDateFns(altered, pattern));
      }),
    );
  });
});

it.each(FOREIGN)('%j is left to date-fns', (pattern) => {
  expect(PlainPattern.of(pattern)).toBeNull();
});

it.each([
  '2026-02-30',
  '2025-02-29',
  '2026-13-01',
  '2026-00-10',
  '0099-01-01',
  '2026-1-01',
  '2026-01-01 ',
  '',
])('%j is the text of no time', (text) => {
  expect(PlainPattern.of('yyyy-MM-dd')!.parse(text)).toBeNull();
});

it('leaves years of other than four digits to date-fns', () => {
  const plain = PlainPattern.of('yyyy')!;
  for (const day of ['-000001-01-01', '0000-01-01', '0099-12-31', '+010000-01-01'])
    expect(plain.format(Date.parse(`${day}T00:00Z`))).toBeNull();
  expect(plain.format(Number.NaN)).toBeNull();
});
