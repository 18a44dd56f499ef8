/** Real folders, real chokidar. Nothing sleeps: tests wait for what they are about. */
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import { type SelectorSpec, selectRoots } from '../../../lib/source/file-selector.ts';
import { FolderWatcher } from '../../../lib/source/folder-watcher.ts';
import { type Warning, Warnings } from '../../../lib/source/warnings.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-watch-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Starts a watcher; `hinted` resolves with the next hint. */
async function watch(spec: Partial<SelectorSpec> = {}, maxFolders?: number) {
  const found: Warning[] = [];
  const warnings = new Warnings(systemClock, (warning) => found.push(warning));
  const fileSystem = localFileSystem('test');
  const selector = { paths: [folder], include: [], exclude: [], recursive: true, ...spec };
  const roots = await selectRoots(selector, fileSystem, () => {});
  let onHint = () => {};
  const watcher = new FolderWatcher(() => onHint(), warnings, maxFolders);
  const hinted = () =>
    new Promise<void>((resolve) => {
      onHint = resolve;
    });
  await watcher.start(roots);
  return { watcher, hinted, warnings: found };
}

describe('a watched source', () => {
  it('is woken by a new file, a file renamed in, a change, a new folder and a file in it', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'old'), 'x');
    const elsewhere = await mkdtemp(join(tmpdir(), 'sluice-elsewhere-'));
    const { watcher, hinted, warnings } = await watch();
    const actions = [
      () => writeFile(join(folder, 'a'), 'a'),
      () => appendFile(join(folder, 'sub', 'old'), 'y'),
      async () => {
        await writeFile(join(elsewhere, 'b'), 'b');
        await rename(join(elsewhere, 'b'), join(folder, 'sub', 'b'));
      },
      () => mkdir(join(folder, 'new')),
    ];
    for (const act of actions) {
      const hint = hinted();
      await act();
      await hint;
    }
    // chokidar watches the new folder a moment after it says so; a listing would have found the file anyway.
    for (let written = 0, hint = hinted(), woken = false; !woken; written++) {
      await writeFile(join(folder, 'new', `${written}`), 'x');
      woken = await Promise.race([
        hint.then(() => true),
        new Promise<boolean>((resolve) => setImmediate(resolve, false)),
      ]);
    }
    expect(warnings).toEqual([]);
    await watcher.close();
    await rm(elsewhere, { recursive: true });
  });

  it('gives up with a warning where there are more folders than it may watch', async () => {
    for (let i = 0; i < 20; i++) await mkdir(join(folder, `${i}`));
    const { warnings } = await watch({}, 10);
    expect(warnings).toMatchObject([{ code: 'watcher-unavailable' }]);
    expect(warnings[0]!.message).toContain('more than 10 folders');
  });

  it('does not watch folders that are not listed', async () => {
    for (const name of ['_hidden', '.git', 'tmp', 'in']) {
      for (let i = 0; i < 5; i++) await mkdir(join(folder, name, `${i}`), { recursive: true });
    }
    const { watcher, warnings } = await watch({ exclude: ['tmp/**'] }, 7);
    expect(warnings).toEqual([]);
    await watcher.close();
  });
});
