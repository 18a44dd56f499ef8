import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownFiles } from '../../../lib/source/known-files.ts';
import type { KnownFile } from '../../../lib/source/known-files-log.ts';

const file = (change: Partial<KnownFile> = {}): KnownFile => ({
  sizeBytes: 10,
  modifiedNs: 1_700_000_000_000_000_001n,
  realm: 1,
  consumedBytes: 0,
  fingerprint: 0n,
  fileKey: 0n,
  isCopy: false,
  ...change,
});

function contents(known: KnownFiles, paths: readonly string[]): Map<string, KnownFile> {
  const found = new Map<string, KnownFile>();
  for (const path of paths) {
    const entry = known.find(path);
    if (entry !== -1) found.set(path, known.get(entry));
  }
  return found;
}

type Step =
  | { type: 'record'; path: string; file: KnownFile }
  | { type: 'remove'; path: string }
  | { type: 'scan'; seen: readonly string[]; realm: number; sweep: readonly number[] }
  | { type: 'checkpoint' };

const PATHS = Array.from({ length: 60 }, (_, i) => `/in/${i}`);
const path = fc.constantFrom(...PATHS);
const knownFile = fc.record({
  sizeBytes: fc.maxSafeNat(),
  modifiedNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  realm: fc.integer({ min: 1, max: 3 }),
  consumedBytes: fc.maxSafeNat(),
  fingerprint: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fileKey: fc.bigInt({ min: 0n, max: 5n }).map((key) => key * 0x1_0000_0001n),
  isCopy: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('record' as const), path, file: knownFile }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), path }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('scan' as const),
      seen: fc.uniqueArray(path, { maxLength: 40 }),
      realm: fc.integer({ min: 1, max: 3 }),
      sweep: fc.uniqueArray(fc.integer({ min: 1, max: 3 })),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ type: 'checkpoint' as const }) },
);

describe('known files', () => {
  it('does what a map does, and comes back from its deltas as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, followAppends) => {
        const known = new KnownFiles(followAppends);
        const model = new Map<string, KnownFile>();
        const deltas: Uint8Array[] = [];
        let seenBefore = new Set<string>();
        let seenNow = new Set<string>();
        for (const next of steps) {
          if (next.type === 'record') {
            const followed = followAppends
              ? {}
              : { consumedBytes: 0, fingerprint: 0n, fileKey: 0n, isCopy: false };
            // A key is that of one file: the last to get it.
            for (const [name, other] of model)
              if (followAppends && other.fileKey === next.file.fileKey)
                model.set(name, { ...other, fileKey: 0n });
            model.set(next.path, { ...next.file, ...followed });
            seenNow.add(next.path);
            known.record(next.path, next.file);
          } else if (next.type === 'remove') {
            expect(known.remove(next.path)).toBe(model.delete(next.path));
          } else if (next.type === 'scan') {
            known.beginScan(null);
            seenBefore = seenNow;
            seenNow = new Set(next.seen);
            for (const seen of next.seen) {
              const entry = known.find(seen);
              expect(entry !== -1).toBe(model.has(seen));
              if (entry === -1) continue;
              known.markSeen(entry, next.realm);
              model.set(seen, { ...model.get(seen)!, realm: next.realm });
            }
            let forgotten = 0;
            for (const [name, entry] of model) {
              if (next.seen.includes(name) || !next.sweep.includes(entry.realm)) continue;
              // Where files are followed, they are missed by two scans before they are forgotten.
              if (followAppends && seenBefore.has(name)) continue;
              model.delete(name);
              forgotten++;
            }
            expect(known.sweep(new Set(next.sweep))).toBe(forgotten);
          } else deltas.push(known.takeDelta());
          expect(known.size).toBe(model.size);
          for (const [name, { fileKey }] of model)
            if (fileKey !== 0n) expect(known.findKey(fileKey)).toBe(known.find(name));
        }
        expect(contents(known, PATHS)).toEqual(model);

        const restored = new KnownFiles(followAppends);
        // Deltas may be put one after the other.
        restored.apply(Buffer.concat([...deltas, known.takeDelta()]));
        expect(contents(restored, PATHS)).toEqual(model);
        expect(restored.size).toBe(model.size);

        const fromSnapshot = new KnownFiles(followAppends);
        fromSnapshot.record('/in/stale', file());
        fromSnapshot.apply(known.snapshot());
        expect(contents(fromSnapshot, [...PATHS, '/in/stale'])).toEqual(model);
        expect(known.takeDelta()).toHaveLength(0);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps its stored form, byte for byte', () => {
    const known = new KnownFiles();
    known.record('/in/a', file({ sizeBytes: 3, modifiedNs: 5n, realm: 2 }));
    known.record('/in/b', file());
    known.remove('/in/b');
    const [a, b] = ['/in/a', '/in/b'].map((name) =>
      createHash('sha256').update(name).digest('hex').slice(0, 32),
    );
    expect(Buffer.from(known.takeDelta()).toString('hex')).toBe(
      `010002000000${`00${b}`}${`01${a}0000000000000840${'0500000000000000'}0200`}`,
    );
  });

  it('refuses what is not its own: torn, altered, of another version', () => {
    const known = new KnownFiles(true);
    for (let i = 0; i < 20; i++) known.record(`/in/${i}`, file());
    known.remove('/in/3');
    const delta = known.takeDelta();
    for (let length = 1; length < delta.length; length++) {
      expect(() => new KnownFiles(true).apply(delta.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'STATE_CORRUPT', exitCode: 5 }),
      );
    }
    const future = delta.slice();
    future[0] = 9;
    expect(() => new KnownFiles().apply(future)).toThrow(expect.objectContaining({ code: 'STATE_VERSION' }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          new KnownFiles().apply(bytes);
        } catch (error) {
          expect(error).toMatchObject({ exitCode: 5 });
        }
      }),
    );
  });

  it('reads the table of a job that followed appends, and of one that did not', () => {
    const followed = new KnownFiles(true);
    followed.record('/in/a', file({ consumedBytes: 7, fingerprint: 9n }));
    const plain = new KnownFiles(false);
    plain.apply(followed.snapshot());
    expect(plain.get(plain.find('/in/a'))).toEqual(file());
    const again = new KnownFiles(true);
    again.apply(plain.snapshot());
    expect(again.get(again.find('/in/a'))).toEqual(file());
  });

  it('tells of a file once, however often it changed', () => {
    const known = new KnownFiles();
    known.record('/in/kept', file());
    for (let i = 0; i < 1000; i++) known.record('/in/busy', file({ modifiedNs: BigInt(i) }));
    const delta = known.takeDelta();
    expect(delta.length).toBeLessThan(100);
    const restored = new KnownFiles();
    restored.apply(delta);
    expect(restored.size).toBe(2);
    expect(restored.matches(restored.find('/in/busy'), 10, 999n)).toBe(true);
  });

  it('keeps a bounded list of forgotten files: one that outgrows the table becomes a snapshot', () => {
    const known = new KnownFiles();
    known.record('/in/kept', file());
    known.record('/in/gone', file());
    const before = known.takeDelta();
    known.remove('/in/gone');
    for (let i = 0; i < 100_000; i++) {
      known.record(`/in/${i}`, file());
      known.remove(`/in/${i}`);
    }
    expect(known.memoryBytes).toBeLessThan(2 << 20);
    const delta = known.takeDelta();
    expect(delta.length).toBeLessThan(100);
    const restored = new KnownFiles();
    restored.apply(before);
    restored.apply(delta);
    expect(restored.size).toBe(1);
    expect(restored.find('/in/kept')).not.toBe(-1);
    expect(known.takeDelta()).toHaveLength(0);
  });

  it('holds many files in a fixed number of bytes each', () => {
    const known = new KnownFiles();
    const count = 100_000;
    for (let i = 0; i < count; i++) known.record(`/in/2026/11/23/events-${i}.ndjson.gz`, file());
    known.takeDelta();
    expect(known.memoryBytes / count).toBeLessThan(80);
    known.beginScan(null);
    let found = 0;
    for (let i = 0; i < count; i++) {
      const entry = known.find(`/in/2026/11/23/events-${i}.ndjson.gz`);
      if (entry === -1) continue;
      known.markSeen(entry, 1);
      found++;
    }
    expect(found).toBe(count);
    expect(known.sweep(new Set([1]))).toBe(0);
    known.beginScan(null);
    expect(known.sweep(new Set([1]))).toBe(count);
  });

  it('finds every file that is left, in whatever order others were removed', () => {
    const known = new KnownFiles();
    const count = 5000;
    for (let i = 0; i < count; i++) known.record(`/in/${i}`, file({ sizeBytes: i }));
    for (let i = 0; i < count; i += 3) known.remove(`/in/${(i * 7919) % count}`);
    const removed = new Set(Array.from({ length: Math.ceil(count / 3) }, (_, i) => (i * 3 * 7919) % count));
    for (let i = 0; i < count; i++) {
      const entry = known.find(`/in/${i}`);
      expect(entry === -1).toBe(removed.has(i));
      if (entry !== -1) expect(known.get(entry).sizeBytes).toBe(i);
    }
  });
});
