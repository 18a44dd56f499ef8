import { describe, expect, it } from 'vitest';
import { Committer } from '../../../lib/commit/committer.ts';
import type { Committable } from '../../../lib/sink/sink-state.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

async function pending(fileSystem: MemoryFileSystem, names: readonly string[]): Promise<Committable[]> {
  const committables: Committable[] = [];
  for (const name of names) {
    const file = await fileSystem.recoverableWriter.open(`/lake/b/${name}`, null);
    await file.write(Buffer.from(name));
    committables.push({ bucketId: 'b', file: await file.closeForCommit(), rows: 1 });
  }
  return JSON.parse(JSON.stringify(committables)) as Committable[];
}

const visible = (fileSystem: MemoryFileSystem) =>
  [...fileSystem.files.keys()].filter((file) => !file.includes('/.')).sort();

describe('committer', () => {
  it('C40: N pending parts: N are published, and none again at the next commit', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock());
    const committer = new Committer(fileSystem.recoverableWriter, []);
    committer.promise(await pending(fileSystem, ['part-0', 'part-1', 'part-2']));
    expect(visible(fileSystem)).toEqual([]);
    expect(await committer.commit()).toHaveLength(3);
    expect(visible(fileSystem)).toEqual(['/lake/b/part-0', '/lake/b/part-1', '/lake/b/part-2']);
    expect([...fileSystem.files.keys()]).toHaveLength(3);
    expect(committer.promised).toEqual([]);
    expect(await committer.commit()).toEqual([]);
  });

  it('C42: what a restored checkpoint promises is published by the first commit, visible already or not', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock());
    const restored = await pending(fileSystem, ['part-0', 'part-1']);
    await fileSystem.recoverableWriter.commit([restored[0]!.file]);
    const committer = new Committer(fileSystem.recoverableWriter, restored);
    expect(committer.promised).toHaveLength(2);
    expect(await committer.commit()).toHaveLength(2);
    expect(visible(fileSystem)).toEqual(['/lake/b/part-0', '/lake/b/part-1']);
  });

  it('keeps everything promised when one part is gone, so that the next process finds it missing too', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock());
    const committables = await pending(fileSystem, ['part-0', 'part-1']);
    await fileSystem.remove(committables[1]!.file.hiddenPath);
    const committer = new Committer(fileSystem.recoverableWriter, committables);
    await expect(committer.commit()).rejects.toMatchObject({ code: 'PART_MISSING' });
    expect(committer.promised).toHaveLength(2);
  });
});
