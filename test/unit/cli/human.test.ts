import { describe, expect, test } from 'vitest';
import { counted, humanBytes, humanCount, humanDuration, humanRate } from '../../../lib/cli/human.ts';
import { printable } from '../../../lib/cli/printable.ts';

describe('numbers for people', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [99_940, '99.9 KB'],
    [99_960, '100 KB'],
    [999_949, '1000 KB'],
    [999_950, '1.0 MB'],
    [213_500_000, '214 MB'],
    [1e18, '1000 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });

  test.each([
    [0, '0.0 s'],
    [312, '0.3 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 m 0 s'],
    [200_000, '3 m 20 s'],
    [7_500_000, '2 h 5 m'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });

  test('counts, rates', () => {
    expect([0, 999, 1000, 1_234_567].map(humanCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([counted(1, 'part'), counted(0, 'part'), counted(2, 'entry', 'entries')]).toEqual([
      '1 part',
      '0 parts',
      '2 entries',
    ]);
    expect(humanRate(331e6, 1000)).toBe('331 MB/s');
    expect(humanRate(5, 0)).toBe('0 B/s');
  });
});

test('text of others cannot steer the terminal', () => {
  expect(printable('a\u001b[2Jb\rc\u0007\u202e\nd')).toBe('a\\u001b[2Jb\\u000dc\\u0007\\u202e\nd');
});
