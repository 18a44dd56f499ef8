import { describe, expect, test } from 'vitest';
import { checkBadRecords } from '../../../lib/commit/bad-record-limits.ts';

const counts = (rows: number, rejected: number, quarantined = 0) => ({ rows, rejected, quarantined });

describe('limits of bad records', () => {
  test('no limit: any number', () => {
    expect(() => checkBadRecords({ maxRecords: null, maxRatio: null }, counts(0, 1e9), true)).not.toThrow();
  });

  test('max_bad_records counts skipped and quarantined ones', () => {
    const limits = { maxRecords: 10, maxRatio: null };
    expect(() => checkBadRecords(limits, counts(0, 4, 6), false)).not.toThrow();
    expect(() => checkBadRecords(limits, counts(1e9, 5, 6), false)).toThrow(
      /11 bad records, max_bad_records is 10/,
    );
  });

  test('a ratio says nothing of few records, but at the end', () => {
    const limits = { maxRecords: null, maxRatio: 0.01 };
    expect(() => checkBadRecords(limits, counts(0, 1), false)).not.toThrow();
    expect(() => checkBadRecords(limits, counts(0, 1), true)).toThrow(/1 of 1 records/);
    expect(() => checkBadRecords(limits, counts(990, 10), false)).not.toThrow();
    expect(() => checkBadRecords(limits, counts(989, 11), false)).toThrow(/11 of 1000 records/);
  });

  test('max_bad_ratio 0: none at all', () => {
    expect(() => checkBadRecords({ maxRecords: null, maxRatio: 0 }, counts(5, 0), true)).not.toThrow();
    expect(() => checkBadRecords({ maxRecords: null, maxRatio: 0 }, counts(5, 1), true)).toThrow();
  });
});
