import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { confine } from '../../../bucketing/confine.ts';
import { escapeHive, partitionSegment } from '../../../bucketing/hive-escape.ts';

describe('confine', () => {
  test.each([
    '',
    'a',
    'a/b',
    'dt=2026-11-22/hour=13',
    'k=..',
    'k=.',
    'a b',
    'ü=日本',
    'a:b',
    '...a'.slice(3),
    'a.b',
    'x_',
  ])('lets %j pass as it is', (id) => {
    expect(confine(id)).toBe(id);
  });

  test.each([
    '/a',
    'a/',
    'a//b',
    '/',
    '.',
    '..',
    'a/..',
    '../a',
    'a/./b',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\u007f',
    '.hidden',
    'a/.b',
    '_tmp',
    'a/_k=1',
    '__HIVE_DEFAULT_PARTITION__',
    'x'.repeat(256),
    'é'.repeat(128),
    `${'a/'.repeat(400)}a`,
    'half\ud800',
  ])('refuses %j', (id) => {
    expect(() => confine(id)).toThrow(expect.objectContaining({ code: 'PATH_ESCAPE' }));
  });

  test('255 bytes are a name', () => {
    expect(confine('x'.repeat(255))).toHaveLength(255);
    expect(confine(`${'é'.repeat(127)}x`)).toHaveLength(128);
  });
});

describe('Hive escaping', () => {
  test('exactly the characters that Presto and Hive escape (engines/QUERY.md)', () => {
    const escaped = new Set('"#%\'*/:=?[\\]^{');
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code);
      const wanted =
        code < 0x20 || code === 0x7f || escaped.has(character)
          ? `%${code.toString(16).toUpperCase().padStart(2, '0')}`
          : character;
      expect(escapeHive(character)).toBe(wanted);
    }
  });

  test.each([
    ['a/b', 'k=a%2Fb'],
    ['a:b', 'k=a%3Ab'],
    ['a=b', 'k=a%3Db'],
    ['100%', 'k=100%25'],
    ['a%20b', 'k=a%2520b'],
    ["q'q", 'k=q%27q'],
    ['2026-11-22T13:00', 'k=2026-11-22T13%3A00'],
    [' ! $ & ( ) + , - ; < > @ | } ~', 'k= ! $ & ( ) + , - ; < > @ | } ~'],
    ['ü日本😀', 'k=ü日本😀'],
    ['\t\u007f', 'k=%09%7F'],
    ['', 'k=__HIVE_DEFAULT_PARTITION__'],
    [null, 'k=__HIVE_DEFAULT_PARTITION__'],
    ['..', 'k=..'],
    ['../../etc', 'k=..%2F..%2Fetc'],
  ])('%j is %s', (value, segment) => {
    expect(partitionSegment('k', value)).toBe(segment);
  });

  test('what was escaped reads back, and is one folder (property)', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }), (value) => {
        const segment = partitionSegment('k', value);
        const back = segment
          .slice(2)
          .replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
        expect(back).toBe(value);
        expect(segment).not.toContain('/');
      }),
    );
  });
});
