/** Every way of decoding against JSON.parse: what it rejects is refused, what it accepts gives the same value. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { schemaOf } from '../../support/job.ts';
import { DEEP, JSON_TEXTS } from './json-values.ts';
import { decodeBy, WAYS, wellFormed } from './ways.ts';

const parsed = (text: string): { value: unknown } | null => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
};
/** Lines come apart at line feeds, which are white space to JSON.parse. */
const oneLine = (text: string) => !text.includes('\n');
const jsonColumn = schemaOf({ before: 'int32', v: 'json', after: 'string' });
const passed = schemaOf({ before: 'int32', after: 'string' });
const usual = '{"before":0,"v":{"usual":[1,"x"]},"after":"y"}\n';

describe.each(Object.entries(WAYS))('%s', (_name, way) => {
  it('takes a value of any kind exactly where JSON.parse does', () => {
    for (const text of JSON_TEXTS.filter(oneLine)) {
      const line = `{"before":1,"v":${text},"after":"z"}`;
      const expected = parsed(line);
      // Rows of the usual shape before and behind it: whatever way they are read in, it stays in step.
      const { rows, bad } = decodeBy(way, jsonColumn, `${usual.repeat(3)}${line}\n${usual}`);
      expect(bad.length, text).toBe(expected === null ? 1 : 0);
      expect(rows.length, text).toBe(expected === null ? 4 : 5);
      expect(rows.at(-1), text).toEqual({ before: 0, v: '{"usual":[1,"x"]}', after: 'y' });
      if (expected === null) continue;
      const { v } = expected.value as { v: unknown };
      const row = rows[3] as { before: number; v: string | null; after: string };
      expect([row.before, row.after], text).toEqual([1, 'z']);
      expect(row.v === null ? null : JSON.parse(row.v), text).toEqual(v);
    }
  });

  it('passes over a value of any kind exactly where JSON.parse does', () => {
    for (const text of JSON_TEXTS.filter(oneLine)) {
      const line = `{"before":1,"v":${text},"after":"z"}`;
      const { rows, bad } = decodeBy(way, passed, `${usual.repeat(3)}${line}\n${usual}`);
      expect(bad.length, text).toBe(parsed(line) === null ? 1 : 0);
      expect(rows.length, text).toBe(parsed(line) === null ? 4 : 5);
      expect(rows.at(-1), text).toEqual({ before: 0, after: 'y' });
    }
  });

  it('takes a line exactly where JSON.parse gives an object', () => {
    const first = '{"a":1,"b":2}\n';
    for (const text of JSON_TEXTS.filter(oneLine)) {
      const expected = parsed(text);
      const isObject = expected !== null && /^\s*\{/.test(text);
      const isBlank = /^[ \t\r]*$/.test(text);
      const { rows, bad } = decodeBy(
        way,
        schemaOf({ a: 'json', b: 'json' }),
        `${first}${first}${text}\n${first}`,
      );
      expect(bad.length, text).toBe(isObject || isBlank ? 0 : 1);
      expect(rows.length, text).toBe(isObject ? 4 : 3);
      if (!isObject) continue;
      const value = expected.value as { a?: unknown; b?: unknown };
      const back = (json: unknown) => (json === null ? null : JSON.parse(String(json)));
      expect([back(rows[2]!.a), back(rows[2]!.b)], text).toEqual([value.a ?? null, value.b ?? null]);
    }
  });

  it('reads doubles as JSON.parse does, to the last bit', () => {
    for (const text of JSON_TEXTS) {
      const value = parsed(text)?.value;
      const line = `{"d":${text}}`;
      const isDouble = typeof value === 'number' && Number.isFinite(value) && oneLine(text);
      if (!oneLine(text)) continue;
      const { rows } = decodeBy(way, schemaOf({ d: 'float64' }), `{"d":1}\n{"d":2.5}\n${line}\n`);
      if (isDouble) {
        expect(rows.length, text).toBe(3);
        expect(Object.is(rows[2]!.d, value), text).toBe(true);
      } else expect(rows.length, text).toBe(value === null ? 3 : 2);
    }
  });

  it('reads int64 with every digit, and refuses what is none', () => {
    for (const text of JSON_TEXTS.filter(oneLine)) {
      const { rows } = decodeBy(way, schemaOf({ i: 'int64' }), `{"i":1}\n{"i":2}\n{"i":${text}}\n`);
      const value = parsed(text)?.value;
      if (typeof value === 'number' && /^-?\d+$/.test(text)) {
        const exact = BigInt(text);
        expect(rows[2]?.i, text).toBe(BigInt.asIntN(64, exact) === exact ? exact : undefined);
      } else if (
        typeof value === 'number' &&
        Number.isInteger(value) &&
        Math.abs(value) < 1e15 &&
        text !== '1e-400'
      ) {
        // 1e3 and 1.0 are integers, spelled otherwise. 1e-400 is none, though a double makes 0 of it.
        expect(rows[2]?.i, text).toBe(BigInt(value));
      } else if (typeof value !== 'number') expect(rows[2]?.i, text).toBe(value === null ? null : undefined);
    }
  });

  it('reads strings as JSON.parse does, but for lone halves of surrogate pairs', () => {
    for (const text of JSON_TEXTS.filter(oneLine)) {
      const value = parsed(text)?.value;
      const { rows } = decodeBy(
        way,
        schemaOf({ s: 'string' }),
        `{"s":"a"}\n{"s":"b"}\n{"s":${text}}\n{"s":"b"}\n`,
      );
      if (typeof value === 'string') expect(rows[2]!.s, text).toBe(wellFormed(value));
      else expect(rows.length, text).toBe(value === null ? 4 : 3);
      expect(rows.at(-1)!.s, text).toBe('b');
    }
  });

  it('refuses what is not UTF-8, in columns and in what it passes over', () => {
    const wrong = ['80', 'c0af', 'c3', 'e28228', 'eda080', 'f0288cbc', 'f4908080', 'ff', 'e282'];
    for (const hex of wrong) {
      for (const before of [0, 1, 14, 15, 16, 40]) {
        const value = Buffer.concat([Buffer.from('x'.repeat(before)), Buffer.from(hex, 'hex')]);
        for (const schema of [jsonColumn, passed, schemaOf({ v: 'string', after: 'string' })]) {
          const line = Buffer.concat([
            Buffer.from('{"before":1,"v":"'),
            value,
            Buffer.from('","after":"z"}\n'),
          ]);
          const { rows, bad } = decodeBy(
            way,
            schema,
            Buffer.concat([Buffer.from(usual.replace('{"usual":[1,"x"]}', '"é"')), line, line]),
          );
          expect([rows.length, bad.length], `${before} ${hex}`).toEqual([1, 2]);
          expect(bad[0]!.reason, `${before} ${hex}`).toMatch(/^not UTF-8/);
        }
      }
    }
  });

  it('bounds how deep values are nested', () => {
    for (const schema of [jsonColumn, passed]) {
      const line = (value: string) => `{"before":1,"v":${value},"after":"z"}\n`;
      expect(decodeBy(way, schema, usual + line(DEEP.accepted)).rows.length).toBe(2);
      const { rows, bad } = decodeBy(way, schema, usual + line(DEEP.refused) + usual);
      expect(rows.length).toBe(2);
      expect(bad[0]!.reason).toBe('values are nested deeper than 512');
    }
  });
});

it('gives the same where code must not be made from strings', () => {
  const script = path.join(import.meta.dirname, 'without-code-generation.ts');
  const run = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--import', 'tsx', script],
    { encoding: 'utf8' },
  );
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe('the same\n');
}, 60_000);
