/** Waiting bytes of many files in any order of steps, against plain buffers. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpoolFolder } from '../../../lib/storage/s3/spool.ts';

const FRONT_BYTES = 64;

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'sluice-spool-test-'));
});
afterEach(() => rm(parent, { recursive: true }));

const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed * 31) % 251);

/** What lies on the disk, over all files. */
async function spooledBytes(): Promise<number> {
  const names = await readdir(parent, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((entry) => readFile(path.join(entry.parentPath, entry.name))));
  return contents.reduce((sum, { length }) => sum + length, 0);
}

describe('a spool', () => {
  it('keeps what fits of the file that was written last in memory, and of the others on the disk', async () => {
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const [one, other] = [await folder.create(), await folder.create()];
    await one.append(bytesOf(40, 1));
    await one.append(bytesOf(24, 2));
    expect(await spooledBytes(), 'all in memory').toBe(0);
    await other.append(bytesOf(10, 3));
    expect(await spooledBytes(), "the first one's").toBe(64);
    await other.append(bytesOf(55, 4));
    expect(await spooledBytes(), 'more than fits').toBe(64 + 65);
    await other.remove();
    expect(await spooledBytes()).toBe(64);
    await one.append(bytesOf(3, 5));
    const back = new Uint8Array(67);
    await one.read(0, back);
    expect(Buffer.from(back)).toEqual(Buffer.concat([bytesOf(40, 1), bytesOf(24, 2), bytesOf(3, 5)]));
    await folder.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('gives back what was appended, whatever files do at the same time', async () => {
    const step = fc.record({
      file: fc.integer({ min: 0, max: 3 }),
      kind: fc.constantFrom('append', 'append', 'append', 'read', 'clear', 'release', 'remove'),
      length: fc.integer({ min: 0, max: FRONT_BYTES + 20 }),
      // Whether what was asked for before is waited for.
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const folder = new SpoolFolder(parent, FRONT_BYTES);
        const files = await Promise.all(Array.from({ length: 4 }, () => folder.create()));
        const expected = files.map(() => Buffer.alloc(0));
        // The steps of one file wait for one another, as its writer's do; those of several do not.
        const last = files.map(() => Promise.resolve());
        for (const [at, { file, kind, length, waits }] of steps.entries()) {
          const spool = files[file]!;
          const bytes = bytesOf(length, at);
          const run = async () => {
            if (kind === 'append') {
              await spool.append(bytes);
              expected[file] = Buffer.concat([expected[file]!, bytes]);
            } else if (kind === 'read') {
              const from = Math.min(length, expected[file]!.length);
              const into = new Uint8Array(expected[file]!.length - from);
              await spool.read(from, into);
              expect(Buffer.from(into)).toEqual(expected[file]!.subarray(from));
            } else {
              await spool[kind]();
              if (kind !== 'release') expected[file] = Buffer.alloc(0);
            }
            expect(spool.lengthBytes).toBe(expected[file]!.length);
          };
          last[file] = last[file]!.then(run);
          if (waits) await Promise.all(last);
        }
        await Promise.all(last);
        for (const [file, spool] of files.entries()) {
          const into = new Uint8Array(expected[file]!.length);
          await spool.read(0, into);
          expect(Buffer.from(into)).toEqual(expected[file]!);
          await spool.release();
        }
        await folder.close();
      }),
      { numRuns: 300 },
    );
  });
});
