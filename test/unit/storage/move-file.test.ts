import { existsSync, statSync } from 'node:fs';
import { link, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moveFile } from '../../../lib/storage/local/move-file.ts';

/** A file system in memory that Linux has beside the one of the temporary folder. */
const OTHER = '/dev/shm';
const hasOther = existsSync(OTHER) && statSync(OTHER).dev !== statSync(tmpdir()).dev;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-move-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const move = (from: string, to: string) => moveFile(from, to, 'run');

describe('moving a file', () => {
  it('makes the folders of the new name', async () => {
    await writeFile(at('a'), 'one');
    expect(await move(at('a'), at('x', 'y', 'b'))).toBe('moved');
    expect(await readFile(at('x', 'y', 'b'), 'utf8')).toBe('one');
    expect(existsSync(at('a'))).toBe(false);
  });

  it('never replaces another file, even one of the same content', async () => {
    await writeFile(at('a'), 'same');
    await writeFile(at('b'), 'same');
    expect(await move(at('a'), at('b'))).toBe('occupied');
    expect(existsSync(at('a'))).toBe(true);
  });

  it('ends what a crash cut off between link and unlink', async () => {
    await writeFile(at('a'), 'one');
    await link(at('a'), at('b'));
    expect(await move(at('a'), at('b'))).toBe('moved');
    expect(existsSync(at('a'))).toBe(false);
  });

  it('says where there is nothing to move', async () => {
    expect(await move(at('a'), at('b'))).toBe('missing');
  });
});

describe.skipIf(!hasOther)('moving a file to another file system', () => {
  let other: string;
  beforeEach(async () => {
    other = await mkdtemp(path.join(OTHER, 'sluice-move-'));
  });
  afterEach(() => rm(other, { recursive: true }));

  it('copies bytes and times, and leaves nothing beside it', async () => {
    await writeFile(at('a'), 'x'.repeat(600_000));
    await utimes(at('a'), 1_700_000_000, 1_700_000_001);
    expect(await move(at('a'), path.join(other, 'deep', 'b'))).toBe('moved');
    const { size, mtimeMs } = await stat(path.join(other, 'deep', 'b'));
    expect([size, mtimeMs]).toEqual([600_000, 1_700_000_001_000]);
    expect(existsSync(at('a'))).toBe(false);
    expect(existsSync(path.join(other, 'deep', '.b.tmp.run'))).toBe(false);
  });

  it('takes an equal file there for its own copy, and another one for somebody else’s', async () => {
    await writeFile(at('a'), 'x'.repeat(600_000));
    await writeFile(path.join(other, 'b'), 'x'.repeat(600_000));
    await writeFile(path.join(other, 'c'), `${'x'.repeat(599_999)}y`);
    expect(await move(at('a'), path.join(other, 'c'))).toBe('occupied');
    expect(await move(at('a'), path.join(other, 'b'))).toBe('moved');
    expect(existsSync(at('a'))).toBe(false);
  });
});
