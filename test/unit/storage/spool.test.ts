/** Waiting bytes of many files in any order of steps, against plain buffers. */
import { spawnSync } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
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

/** Handles of this process below the parent, as Linux tells them. */
async function openFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((target) => target.startsWith(parent));
}

describe('a spool', () => {
  it('keeps what fits of the file that was written last in memory, and of the others on the disk', async () => {
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const [one, other] = [folder.create(), folder.create()];
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
    await one.remove();
    await other.remove();
    expect(await readdir(parent)).toEqual([]);
    await folder.close();
  });

  it.skipIf(process.platform !== 'linux')(
    'gives back the handle that it took to make room, where it had given it back before',
    async () => {
      const folder = new SpoolFolder(parent, FRONT_BYTES);
      const [one, other] = [folder.create(), folder.create()];
      await one.append(bytesOf(5, 1));
      await one.release();
      await other.append(bytesOf(5, 2));
      expect(await spooledBytes()).toBe(5);
      expect(await openFiles()).toEqual([]);
      await one.append(bytesOf(5, 3));
      expect(await openFiles(), 'the other one keeps its own').toHaveLength(1);
      await folder.close();
      await one.release();
      await other.release();
    },
  );

  it('files are for nobody else, in a folder whose name is new each time', async () => {
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const names = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const spool = folder.create();
      await spool.append(bytesOf(FRONT_BYTES + 1, round));
      const [name] = await readdir(parent);
      names.add(name!);
      expect((await stat(path.join(parent, name!))).mode & 0o077).toBe(0);
      const [file] = await readdir(path.join(parent, name!));
      expect((await stat(path.join(parent, name!, file!))).mode & 0o077).toBe(0);
      await spool.remove();
      expect(await readdir(parent)).toEqual([]);
    }
    expect(names.size).toBe(3);
  });

  it('a folder that somebody took away is made again; bytes that were in it are missed, and no others', async () => {
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const [one, other, third] = [folder.create(), folder.create(), folder.create()];
    await one.append(bytesOf(FRONT_BYTES + 1, 1));
    await one.release();
    await other.append(bytesOf(20, 2));
    for (const name of await readdir(parent)) await rm(path.join(parent, name), { recursive: true });
    // Makes room for the third.
    await third.append(bytesOf(20, 3));
    const into = new Uint8Array(20);
    await other.read(0, into);
    expect(into).toEqual(bytesOf(20, 2));
    await third.read(0, into);
    expect(into).toEqual(bytesOf(20, 3));
    await expect(one.read(0, new Uint8Array(1))).rejects.toThrow(/cannot open the spool file .*ENOENT/);
    for (const spool of [one, other, third]) await spool.remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it('what processes that were killed have left goes with the first file, and nothing else does', async () => {
    const host = hostname().replaceAll(/[^\w.]/g, '_');
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0']);
    const before = new Date(Date.now() - process.uptime() * 1000 - 60_000);
    const left = [`sluice-spool-${host}-${dead}-AbC123`, `sluice-spool-${host}-${process.pid}-AbC124`];
    const kept = [
      `sluice-spool-${host}-${process.pid}-AbC125`,
      `sluice-spool-${host}-${process.ppid}-AbC126`,
      `sluice-spool-${host}2-${dead}-AbC127`,
      `sluice-spool-${host}-x-AbC128`,
      'of somebody else',
    ];
    for (const name of [...left, ...kept]) {
      await mkdir(path.join(parent, name));
      await writeFile(path.join(parent, name, '0'), 'rows');
    }
    await utimes(path.join(parent, left[1]!), before, before);
    // Cannot be looked at, and is listed before the second of `left`.
    const dangling = `sluice-spool-${host}-${process.pid}-AaAaAa`;
    await symlink('nowhere', path.join(parent, dangling));
    kept.push(dangling);
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const spool = folder.create();
    await spool.append(bytesOf(FRONT_BYTES + 1, 1));
    const names = await readdir(parent);
    expect(names).toEqual(expect.arrayContaining(kept));
    expect(names).toHaveLength(kept.length + 1);
    for (const name of left) expect(names).not.toContain(name);
    await spool.remove();
    await folder.close();
  });

  it('what keeps one file from the disk is not told of another', async () => {
    const folder = new SpoolFolder(parent, FRONT_BYTES);
    const [one, other, third] = [folder.create(), folder.create(), folder.create()];
    await other.append(bytesOf(FRONT_BYTES + 1, 1));
    await one.append(bytesOf(FRONT_BYTES + 1, 2));
    await one.release();
    await one.append(bytesOf(10, 3));
    // The first file, not its folder: it cannot be opened again.
    const [name] = await readdir(parent);
    await rm(path.join(parent, name!, '1'));
    await other.append(bytesOf(10, 4));
    await third.append(bytesOf(10, 5));
    const into = new Uint8Array(10);
    await other.read(FRONT_BYTES + 1, into);
    expect(into).toEqual(bytesOf(10, 4));
    await third.read(0, into);
    expect(into).toEqual(bytesOf(10, 5));
    await expect(one.append(bytesOf(FRONT_BYTES, 6))).rejects.toThrow(/cannot open the spool file .*ENOENT/);
    for (const spool of [one, other, third]) await spool.remove();
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
        const files = Array.from({ length: 4 }, () => folder.create());
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
