import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';

/** What the disk says of hard links: some file systems have none. */
const links = vi.hoisted(() => ({ refused: false }));

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return {
    ...fs,
    link: async (existing: string, file: string) => {
      if (links.refused) throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
      await fs.link(existing, file);
    },
  };
});

const fileSystem = localFileSystem('run');
const bytes = Buffer.from('new');
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-small-file-'));
  file = path.join(folder, 'a');
  links.refused = false;
});
afterEach(() => rm(folder, { recursive: true }));

test('a file that is there already stays as it is, with nothing beside it', async () => {
  await writeFile(file, 'old');
  expect(await fileSystem.createExclusive(file, bytes)).toBe(false);
  expect([await readdir(folder), await readFile(file, 'utf8')]).toEqual([['a'], 'old']);
});

test('a file that could not be created leaves nothing behind', async () => {
  links.refused = true;
  await expect(fileSystem.createExclusive(file, bytes)).rejects.toThrow('cannot create');
  expect(await readdir(folder)).toEqual([]);
});

test('a file that could not be replaced leaves nothing behind', async () => {
  await mkdir(file);
  await expect(fileSystem.replace(file, bytes)).rejects.toThrow('cannot write');
  expect(await readdir(folder)).toEqual(['a']);
});
