import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../lib/config/units.ts';

describe('sizes', () => {
  test.each([
    ['64MiB', 67_108_864],
    ['128MB', 128_000_000],
    ['1024', 1024],
    ['0', 0],
    ['1.5GiB', 1_610_612_736],
    ['10 KiB', 10_240],
    ['7B', 7],
    ['2TiB', 2_199_023_255_552],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    '',
    '-1',
    '1e3',
    '64mib',
    '64Mb',
    '64M',
    'MiB',
    '1.2.3MB',
    ' 1',
    '1 ',
    '0x10',
    '99999999TiB',
    '9007199254740993',
  ])('%j is none', (text) => {
    expect(parseSize(text)).toBeNull();
  });

  test('any number of bytes is read back from its printed form', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });

  test('round sizes are printed as people write them', () => {
    expect([64 * 2 ** 20, 128e6, 1024, 1000, 999, 0].map(formatSize)).toEqual([
      '64MiB',
      '128MB',
      '1KiB',
      '1KB',
      '999B',
      '0B',
    ]);
  });

  test('no text makes it throw, or gives a negative or a fraction', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{1,20} ?[KMGTiBb]{0,3}$/)), (text) => {
        const bytes = parseSize(text);
        expect(bytes === null || (Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
      }),
    );
  });
});

describe('durations', () => {
  test.each([
    ['10s', 10_000],
    ['500ms', 500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1.5s', 1500],
    ['0s', 0],
    ['0', 0],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '10', '-1s', '1min', '10S', '1h30m', 's', '1e3s', 'Infinitys'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  test('any number of milliseconds is read back from its printed form', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.integer({ min: 0, max: 100 }).map((n) => n * 3_600_000),
        ),
        (ms) => {
          expect(parseDuration(formatDuration(ms))).toBe(ms);
        },
      ),
    );
  });
});
