/** Files that have the name of another one, told from it by inode and time of creation. */
import { describe, expect, it } from 'vitest';
import { compareFolders } from '../../../lib/source/foreign-keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { SourceHarness } from './source-harness.ts';

describe('birth keys', () => {
  it('a file that is replaced between listing and reading, of one size and time, is read as the one that it is', async () => {
    const source = new SourceHarness({ birthKeys: true });
    source.fileSystem.put('/in/a', 'a1\n', 1n);
    source.asksBeforeScan = true;
    await source.start();
    source.fileSystem.put('/in/a', 'b1\n', 1n);
    const { fileKey } = source.fileSystem.files.get('/in/a')!;
    await source.drain();
    expect(source.lines).toEqual([]);
    await source.scan();
    const ends: unknown[] = [];
    const finish = source.enumerator.finishSplit.bind(source.enumerator);
    source.enumerator.finishSplit = (outcome) => {
      const end = finish(outcome);
      ends.push(end);
      return end;
    };
    await source.drain();
    expect(source.lines).toEqual(['b1']);
    expect(ends).toMatchObject([{ kind: 'read', birthKey: String(fileKey) }]);
    await source.kill();
  });

  it('modified: reread: a version that was read again is not read once more when the one before it is done with', async () => {
    const source = new SourceHarness({ birthKeys: true, modified: 'reread' });
    source.fileSystem.put('/in/a', 'a1\n', 1n);
    await source.start();
    await source.drain();
    source.fileSystem.put('/in/a', 'b1\nb2\n', 2n);
    await source.scan();
    await source.drain();
    const version = { path: '/in/a', checkpointId: 1, checkpointMs: 0 };
    source.enumerator.beginCleaning('/in/a');
    source.enumerator.endCleaning({ ...version, sizeBytes: 3, modifiedNs: '1' }, true);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'b1', 'b2']);
    // Done with itself, it makes room for a new one.
    source.enumerator.endCleaning({ ...version, sizeBytes: 6, modifiedNs: '2' }, true);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'b1', 'b2', 'b1', 'b2']);
    await source.kill();
  });

  it('say nothing in a folder that is another one than at the checkpoint', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock(0));
    for (const folder of ['/in', '/in/deep', '/other']) fileSystem.addFolder(folder);
    const realmOf = async (folder: string, realm: number) => ({
      realm,
      folder,
      identity: (await fileSystem.folderIdentity(folder)) ?? '',
      selection: '',
    });
    const realms = [await realmOf('/in', 1), await realmOf('/in/deep', 2), await realmOf('/gone', 3)];
    fileSystem.replaceFolder('/in/deep');
    const checkKey = await compareFolders(fileSystem, realms);
    const keyOf = (path: string) => checkKey({ path, birthKey: '1' }).birthKey;
    expect(['/in/a', '/in/deep/a', '/inner/a', '/gone/a', '/other/a'].map(keyOf)).toEqual([
      '1',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
