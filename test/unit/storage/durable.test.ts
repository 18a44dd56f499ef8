import { mkdirSync, symlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeFolderDurably, syncFolder } from '../../../lib/storage/local/durable.ts';

/** What was asked of the disk, in its order; and the descriptors that are open. */
const disk = vi.hoisted(() => ({
  calls: [] as string[],
  open: new Map<number, string>(),
  /** A folder that may not be opened. Not by its mode: for root there is none such. */
  closed: '',
  /** Called before a folder is made. */
  beforeMkdir: (_: string): void => {},
}));

type Done<Args extends unknown[]> = (error: Error | null, ...args: Args) => void;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    open: (file: string, flags: string, done: Done<[number]>) => {
      const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      if (file === disk.closed) return done(denied, -1);
      fs.open(file, flags, (error, fd) => {
        if (error === null) disk.open.set(fd, file);
        done(error, fd);
      });
    },
    fsync: (fd: number, done: Done<[]>) => {
      disk.calls.push(`sync ${disk.open.get(fd)}`);
      fs.fsync(fd, done);
    },
    close: (fd: number, done: Done<[]>) => {
      disk.open.delete(fd);
      fs.close(fd, done);
    },
  };
});

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return {
    ...fs,
    mkdir: async (folder: string) => {
      disk.beforeMkdir(folder);
      try {
        await fs.mkdir(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        disk.calls.push(`found ${folder}`);
        throw error;
      }
      disk.calls.push(`mkdir ${folder}`);
    },
  };
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-durable-'));
  // What stands above it is looked at once: the calls are those below.
  await makeFolderDurably(folder);
  disk.calls.length = 0;
});
afterEach(async () => {
  disk.beforeMkdir = () => {};
  disk.closed = '';
  expect([...disk.open.values()]).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});

/** The calls, with paths below the test's folder; that itself is '.'. */
function calls(): string[] {
  return disk.calls.map((call) => {
    const [verb = '', at = ''] = call.split(' ');
    return `${verb} ${path.relative(folder, at) || '.'}`;
  });
}

describe('makeFolderDurably', () => {
  test('makes what is missing from above, and syncs the folder that each stands in', async () => {
    await makeFolderDurably(path.join(folder, 'a', 'b', 'c'));
    expect(calls()).toEqual(['mkdir a', 'sync .', 'mkdir a/b', 'sync a', 'mkdir a/b/c', 'sync a/b']);
  });

  test('takes what is there', async () => {
    const there = path.join(folder, 'a');
    mkdirSync(there);
    await makeFolderDurably(there);
    // Whether the one who made it has synced it is not known.
    expect(calls()).toEqual(['found a', 'sync .']);
    await makeFolderDurably(there);
    expect(calls()).toEqual(['found a', 'sync .']);
  });

  test('syncs above a folder that another has just made: whether that one did is not known', async () => {
    disk.beforeMkdir = (made) => mkdirSync(made);
    await makeFolderDurably(path.join(folder, 'dt=1', 'hour=1'));
    expect(calls()).toEqual(['found dt=1', 'sync .', 'found dt=1/hour=1', 'sync dt=1']);
  });

  test('syncs what is above a folder that was there, up to what it knows: whoever made it may not have', async () => {
    const day = path.join(folder, 'lake', 'dt=1');
    mkdirSync(day, { recursive: true });
    await makeFolderDurably(path.join(day, 'hour=1'));
    expect(calls()).toEqual([
      'mkdir lake/dt=1/hour=1',
      'found lake/dt=1',
      'found lake',
      'sync .',
      'sync lake',
      'sync lake/dt=1',
    ]);
    disk.calls.length = 0;
    await makeFolderDurably(path.join(day, 'hour=2'));
    expect(calls()).toEqual(['mkdir lake/dt=1/hour=2', 'sync lake/dt=1']);
  });

  test('ends where nothing can be made, and where a link leads nowhere', async () => {
    const link = path.join(folder, 'link');
    symlinkSync(path.join(folder, 'gone'), link);
    for (const wanted of [link, path.join(link, 'x'), '/proc/gone/x'])
      await expect(makeFolderDurably(wanted)).rejects.toMatchObject({ code: 'NOT_FOUND', retryable: false });
  });

  test('makes one again that was removed, with those above it', async () => {
    const hour = path.join(folder, 'dt=1', 'hour=1');
    await makeFolderDurably(hour);
    for (const removed of [hour, path.dirname(hour)]) {
      await rm(removed, { recursive: true });
      disk.calls.length = 0;
      await makeFolderDurably(hour);
      expect((await stat(hour)).isDirectory()).toBe(true);
      expect(calls().slice(-2)).toEqual(['mkdir dt=1/hour=1', 'sync dt=1']);
    }
    expect(calls()).toEqual(['mkdir dt=1', 'sync .', 'mkdir dt=1/hour=1', 'sync dt=1']);
  });

  test('takes one that is there in a folder that it may not read', async () => {
    const closed = path.join(folder, 'closed');
    mkdirSync(path.join(closed, 'a'), { recursive: true });
    disk.closed = closed;
    await makeFolderDurably(path.join(closed, 'a'));
    expect(calls()).toEqual(['found closed/a', 'found closed', 'sync .']);
    await expect(makeFolderDurably(path.join(closed, 'b'))).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });

  test('many at once, each in folders that others make too', async () => {
    const hours = Array.from({ length: 48 }, (_, i) =>
      path.join(folder, `dt=${i >> 4}`, 'x', `hour=${i & 15}`),
    );
    await Promise.all([...hours, ...hours].map(makeFolderDurably));
    for (const hour of hours) expect((await stat(hour)).isDirectory()).toBe(true);
    expect(await readdir(folder)).toEqual(['dt=0', 'dt=1', 'dt=2']);
  });

  test('a file where a folder should be', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    for (const wanted of [file, path.join(file, 'b', 'c')])
      await expect(makeFolderDurably(wanted)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining(`cannot make the folder ${wanted}`),
      });
    expect(calls()).toEqual(['found file']);
  });
});

describe('syncFolder', () => {
  test('who comes while it is synced shares the next sync, which begins after all of them came', async () => {
    const first = syncFolder(folder);
    const others = [syncFolder(folder), syncFolder(folder), syncFolder(folder)];
    await first;
    // Another one, while the second is under way.
    others.push(syncFolder(folder));
    await Promise.all(others);
    expect(calls()).toEqual(['sync .', 'sync .', 'sync .']);
    await syncFolder(folder);
    expect(calls()).toHaveLength(4);
  });

  test('who comes while a sync fails has one of its own', async () => {
    const gone = path.join(folder, 'gone');
    const results = await Promise.allSettled([syncFolder(gone), syncFolder(gone), syncFolder(folder)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    mkdirSync(gone);
    await syncFolder(gone);
    expect(calls()).toEqual(['sync .', 'sync gone']);
  });

  test('gives its descriptor back, whatever comes of it', async () => {
    await syncFolder(folder);
    expect(calls()).toEqual(['sync .']);
    await expect(syncFolder(path.join(folder, 'gone'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
