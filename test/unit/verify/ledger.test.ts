import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldEntries, type InputEntry, type LedgerEntry } from '../../../lib/commit/ledger/entry.ts';
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
          expect(read.map((entry) => entry.path)).toEqual(Array.from({ length: next }, (_, i) => `p${i}`));
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
