import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ForgottenEntry,
  foldEntries,
  type InputEntry,
  type LedgerEntry,
} from '../../../lib/commit/ledger/entry.ts';
import { forgetFiles } from '../../../lib/commit/ledger/forget.ts';
import { appendToLedger, type LedgerState, readLedger } from '../../../lib/commit/ledger/ledger.ts';
import { NO_TALLY } from '../../../lib/source/tally.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

function input(path: string, fileId: string, fromByte: number, toByte: number | null): InputEntry {
  return {
    type: 'input',
    lane: 'source',
    path,
    fileId,
    fromByte,
    toByte,
    sizeBytes: 100,
    modifiedNs: '5',
    end: 'read',
    tally: { ...NO_TALLY, rows: 1 },
  };
}

const part = (path: string, rows: number): LedgerEntry => ({ type: 'part', path, rows, sizeBytes: rows });

describe('folding', () => {
  test('ranges side by side become one, in whatever order they were read', () => {
    const ranges = [
      input('a', '1', 20, null),
      input('a', '1', 0, 10),
      input('b', '2', 0, null),
      input('a', '1', 10, 20),
    ];
    expect(foldEntries(ranges)).toEqual([
      { ...input('a', '1', 0, null), tally: { ...NO_TALLY, rows: 3 } },
      input('b', '2', 0, null),
    ]);
  });

  test('what was appended continues; another version, a gap and a torn file stay as they are', () => {
    expect(foldEntries([input('a', '1', 0, 10), input('a', '7', 10, 30)])).toEqual([
      { ...input('a', '7', 0, 30), tally: { ...NO_TALLY, rows: 2 } },
    ]);
    const apart = [
      [input('a', '1', 0, null), input('a', '2', 0, null)],
      [input('a', '1', 0, 10), input('a', '1', 20, 30)],
      [{ ...input('a', '1', 0, 10), end: 'changed' as const }, input('a', '1', 10, 20)],
      [{ ...input('a', '1', 0, 10), lane: 'replay' as const }, input('a', '1', 10, 20)],
    ];
    for (const entries of apart) expect(foldEntries(entries)).toEqual(entries);
  });

  test('parts that were all merged become one; what is merged of unknown ones stays a swap', () => {
    const swap = (path: string, ...sources: string[]): LedgerEntry => ({
      type: 'swap',
      path,
      sizeBytes: 9,
      sources,
    });
    expect(
      foldEntries([part('a', 1), part('b', 2), part('c', 4), swap('d', 'a', 'b'), swap('e', 'd', 'c')]),
    ).toEqual([{ type: 'part', path: 'e', rows: 7, sizeBytes: 9 }]);
    expect(foldEntries([part('a', 1), swap('d', 'a', 'old')])).toEqual([part('a', 1), swap('d', 'a', 'old')]);
  });
});

describe('files that are gone', () => {
  const forget = (gone: readonly string[], entries: readonly LedgerEntry[], followed = false) =>
    forgetFiles(foldEntries(entries), { isForgotten: (path) => gone.includes(path), followed });
  const sum = (files: number, more: Partial<ForgottenEntry> = {}): ForgottenEntry => ({
    type: 'forgotten',
    files,
    tally: { ...NO_TALLY, rows: files },
    ...more,
  });

  test('become one entry with their sums; parts stay, in their order', () => {
    const entries = [input('a', '1', 0, null), input('b', '2', 0, 100), input('c', '3', 0, null)];
    const parts = [part('z', 5), part('y', 6)];
    expect(forget(['a', 'b'], [...entries, ...parts])).toEqual([sum(2), input('c', '3', 0, null), ...parts]);
    expect(forget(['c'], [sum(7), sum(2), input('c', '3', 0, null)])).toEqual([sum(10)]);
    expect(forget([], entries)).toEqual(entries);
  });

  test('stay while anything may still come of them, or was wrong with them', () => {
    for (const entry of [
      input('a', '1', 0, 60),
      input('a', '1', 10, null),
      { ...input('a', '1', 0, null), end: 'changed' as const },
      { ...input('a', '1', 0, null), end: 'missing' as const },
      { ...input('a', '1', 0, null), lane: 'replay' as const },
    ])
      expect(forget(['a'], [entry])).toEqual([entry]);
  });

  test('an older version of a file goes, the newest stays', () => {
    const [first, second] = [input('a', '1', 0, null), input('a', '2', 0, null)];
    expect(forget([], [second, first])).toEqual([sum(1), second]);
  });

  test('of followed files, ranges that begin anywhere go', () => {
    expect(forget(['a'], [input('a', '1', 30, 60)], true)).toEqual([sum(1, { followed: true })]);
  });

  test('a year of files that come and go leaves a ledger of those that are there', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock(0));
    const writer = { fileSystem, segmentsFolder: '/s', runId: 'aa' };
    let state: LedgerState = { sinceCheckpoint: 1, pieces: [], lateDropped: 0 };
    const [files, each, kept] = [200_000, 2000, 5000];
    let oldest = 0;
    const name = (file: number) => `/in/${String(file).padStart(9, '0')}`;
    let most = 0;
    for (let file = 0, id = 2; file < files; id++) {
      const entries = Array.from({ length: each }, () => input(name(file), String(file++), 0, null));
      oldest = Math.max(0, file - kept);
      const forgetting = { isForgotten: (path: string) => path < name(oldest), followed: false };
      state = await appendToLedger(state, id, [...entries, part(`p${id}`, each)], writer, forgetting);
      const needed = new Set(state.pieces.map(({ segment }) => `/s/${segment}`));
      for (const path of [...fileSystem.files.keys()]) if (!needed.has(path)) await fileSystem.remove(path);
      most = Math.max(
        most,
        state.pieces.reduce((all, { entries: count }) => all + count, 0),
      );
    }
    const parts = files / each;
    // What is there, and what is in pieces that are not old yet.
    expect(most).toBeLessThan(2 * kept + 65_536 + parts);
    expect(state.pieces.length).toBeLessThan(32);
    const read = foldEntries(await readLedger(state, writer));
    const rows = read.reduce((all, entry) => {
      if (entry.type === 'part' || entry.type === 'swap') return all;
      return all + entry.tally.rows;
    }, 0);
    expect(rows).toBe(files);
    const paths = new Set(read.map((entry) => (entry.type === 'input' ? entry.path : null)));
    for (let file = oldest; file < files; file++) expect(paths.has(name(file))).toBe(true);
    expect(read.filter(({ type }) => type === 'part')).toHaveLength(parts);
    expect(read.flatMap((entry) => (entry.type === 'part' ? entry.path : []))).toEqual(
      Array.from({ length: parts }, (_, i) => `p${i + 2}`),
    );
  }, 60_000);
});

describe('the log', () => {
  test('has few pieces, holds all entries, and writes each a few times only', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 300 }),
        async (sizes) => {
          const fileSystem = new MemoryFileSystem(new ManualClock(0));
          const writer = { fileSystem, segmentsFolder: '/s', runId: 'aa' };
          let state: LedgerState = { sinceCheckpoint: 1, pieces: [], lateDropped: 0 };
          let next = 0;
          let written = 0;
          for (const [index, size] of sizes.entries()) {
            const entries = Array.from({ length: size }, () => part(`p${next++}`, 1));
            const before = state;
            state = await appendToLedger(state, index + 2, entries, writer);
            if (state !== before) written += state.pieces.at(-1)!.entries;
            expect(state.pieces.length).toBeLessThanOrEqual(8 * 3);
          }
          const read = await readLedger(state, writer);
          expect(read.map((entry) => (entry.type === 'forgotten' ? null : entry.path))).toEqual(
            Array.from({ length: next }, (_, i) => `p${i}`),
          );
          expect(state.pieces.reduce((sum, { entries }) => sum + entries, 0)).toBe(next);
          // Once as it is added, and once for each order of size up to its own.
          expect(written).toBeLessThanOrEqual(next * 5);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a segment that is gone, or altered, is an error', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock(0));
    const writer = { fileSystem, segmentsFolder: '/s', runId: 'aa' };
    const empty: LedgerState = { sinceCheckpoint: 1, pieces: [], lateDropped: 0 };
    const state = await appendToLedger(empty, 2, [part('a', 1)], writer);
    const path = `/s/${state.pieces[0]!.segment}`;
    const bytes = (await fileSystem.readFile(path))!;
    await fileSystem.replace(
      path,
      bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
    );
    await expect(readLedger(state, writer)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await fileSystem.remove(path);
    await expect(readLedger(state, writer)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await expect(appendToLedger(empty, 3, [part('a', 1)], { ...writer, runId: 'bb' })).resolves.toMatchObject(
      {
        pieces: [{ segment: '3-ledger-bb.segment', entries: 1 }],
      },
    );
  });
});
