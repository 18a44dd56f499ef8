import { describe, expect, it } from 'vitest';
import { type SelectorSpec, selectRoots } from '../../../lib/source/file-selector.ts';
import { memory } from './reading.ts';

/** What a selection finds among files, and which folders it listed. */
async function select(files: readonly string[], spec: Partial<SelectorSpec>) {
  const fileSystem = memory();
  for (const file of files) fileSystem.put(file, 'x');
  const unreadable: string[] = [];
  const roots = await selectRoots(
    { paths: ['/in'], include: [], exclude: [], recursive: true, ...spec },
    fileSystem,
    (path) => unreadable.push(path),
  );
  const found = new Set<string>();
  const entered = new Set<string>();
  for (const root of roots) {
    const options = {
      ...root.options,
      enterFolder: (path: string) => {
        const enter = root.options.enterFolder(path);
        if (enter) entered.add(path);
        return enter;
      },
    };
    for await (const piece of fileSystem.list(root.folder, options))
      for (const { path } of piece) found.add(path);
  }
  return { found: [...found].sort(), entered: [...entered].sort(), unreadable };
}

describe('selecting files', () => {
  it('H91: nested files, without hidden names and what lies in hidden folders', async () => {
    const files = [
      '/in/a',
      '/in/x/b.gz',
      '/in/x/y/c',
      '/in/_x',
      '/in/.x',
      '/in/_dir/x',
      '/in/dir/.hid/x',
      '/in/dir/d',
    ];
    const { found } = await select(files, {});
    expect(found).toEqual(['/in/a', '/in/dir/d', '/in/x/b.gz', '/in/x/y/c']);
  });

  it('G79: three levels when recursive, only the top level when not', async () => {
    const files = ['/in/1', '/in/a/2', '/in/a/b/3'];
    expect((await select(files, {})).found).toEqual(['/in/1', '/in/a/2', '/in/a/b/3']);
    expect((await select(files, { recursive: false })).found).toEqual(['/in/1']);
  });

  it('G78, H95, H103: include and exclude globs over folders', async () => {
    const files = ['/in/a.csv', '/in/x/b.csv', '/in/x/c.ndjson', '/in/tmp/d.csv', '/in/tmp/deep/e.csv'];
    const { found, entered } = await select(files, { include: ['**/*.csv'], exclude: ['tmp/**'] });
    expect(found).toEqual(['/in/a.csv', '/in/x/b.csv']);
    expect(entered).toEqual(['x']);
  });

  it('lists only folders that can hold a match', async () => {
    const files = ['/in/2025/01/a', '/in/2026/01/b', '/in/2026/01/02/c', '/in/2026/x'];
    expect(await select(files, { include: ['2026/*/*'] })).toMatchObject({
      found: ['/in/2026/01/b'],
      entered: ['2026', '2026/01'],
    });
    expect((await select(files, { include: ['{2025,2026}/01/*'] })).found).toEqual([
      '/in/2025/01/a',
      '/in/2026/01/b',
    ]);
    expect((await select(files, { include: ['**/c', '2025/*/a'] })).found).toEqual([
      '/in/2025/01/a',
      '/in/2026/01/02/c',
    ]);
  });

  it('takes folders, files and globs, alone and together', async () => {
    const files = [
      '/in/a.csv',
      '/in/b.txt',
      '/data/2025-01/c.csv',
      '/data/2026-01/d.csv',
      '/data/2026-02/e/f.csv',
    ];
    expect((await select(files, { paths: ['/in/a.csv'] })).found).toEqual(['/in/a.csv']);
    expect((await select(files, { paths: ['/in/*.txt', '/in/'] })).found).toEqual(['/in/a.csv', '/in/b.txt']);
    expect((await select(files, { paths: ['/data/2026-*'] })).found).toEqual([
      '/data/2026-01/d.csv',
      '/data/2026-02/e/f.csv',
    ]);
    expect((await select(files, { paths: ['/data/2026-*'], recursive: false })).found).toEqual([
      '/data/2026-01/d.csv',
    ]);
    expect((await select(files, { paths: ['/data/*/*.csv'] })).found).toEqual([
      '/data/2025-01/c.csv',
      '/data/2026-01/d.csv',
    ]);
    expect((await select(files, { paths: ['/*/a.csv'] })).found).toEqual(['/in/a.csv']);
  });

  it('a hidden file that is named outright is taken, and a path with glob characters that exists is that path', async () => {
    const files = ['/in/_manual.csv', '/in/a[1].csv', '/in/a1.csv', '/in/d[x]/b'];
    expect((await select(files, { paths: ['/in/_manual.csv'] })).found).toEqual(['/in/_manual.csv']);
    expect((await select(files, { paths: ['/in/a[1].csv', '/in/d[x]'] })).found).toEqual([
      '/in/a[1].csv',
      '/in/d[x]/b',
    ]);
  });

  it('G77: a path that is not there is an error with that path', async () => {
    await expect(select([], { paths: ['/no/such'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      exitCode: 4,
      details: { path: '/no/such' },
    });
    await expect(select([], { paths: ['/no/such/*.csv'] })).rejects.toMatchObject({
      details: { path: '/no/such' },
    });
  });

  it('names may hold line feeds; names that are not UTF-8 are left out and told', async () => {
    const { found, unreadable } = await select(
      ['/in/a\nb.csv', '/in/x\ny/c.csv', '/in/bad\uFFFD.csv', '/in/d\uFFFD/e.csv'],
      {
        include: ['**/*.csv'],
      },
    );
    expect(found).toEqual(['/in/a\nb.csv', '/in/x\ny/c.csv']);
    expect(unreadable.sort()).toEqual(['/in/bad\uFFFD.csv', '/in/d\uFFFD']);
  });
});
