import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../lib/commit/checkpoint.ts';
import { CheckpointStore } from '../../../lib/commit/checkpoint-store.ts';
import type { OpenPart } from '../../../lib/sink/sink-state.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { until } from '../../support/until.ts';
import { GOLDEN } from './golden-checkpoint.ts';

/** A checkpoint whose one open part has its rows in these segments. */
function checkpointWith(id: number, segments: readonly string[]): Checkpoint {
  const [subtask] = GOLDEN.subtasks;
  const [open] = subtask!.sink.openParts;
  const tails = segments.map((segment) => ({ ...open!.tails[0]!, segment }));
  const openParts: OpenPart[] = segments.length === 0 ? [] : [{ ...open!, tails }];
  return { ...GOLDEN, id, discovery: [], subtasks: [{ splits: [], sink: { nextCounter: 1, openParts } }] };
}

function setUp() {
  const fileSystem = new MemoryFileSystem(new ManualClock());
  const store = new CheckpointStore(fileSystem, '/state');
  const put = (...names: string[]) => {
    for (const name of names) fileSystem.put(`/state/segments/${name}`, 'rows');
  };
  const segments = () =>
    [...fileSystem.files.keys()]
      .filter((file) => file.startsWith('/state/segments/'))
      .map((file) => file.slice('/state/segments/'.length))
      .sort();
  return { fileSystem, store, put, segments };
}

const named = (id: number) => `${id}-0-aa.segment`;

describe('checkpoint store', () => {
  it('B31: segments of superseded checkpoints go with them, those that a retained one needs stay', async () => {
    const { store, put, segments } = setUp();
    put(named(1));
    await store.write(checkpointWith(1, [named(1)]), 2);
    put(named(2));
    await store.write(checkpointWith(2, [named(1), named(2)]), 2);
    put(named(3));
    // The part's tail was written anew: only the third is needed by it.
    await store.write(checkpointWith(3, [named(3)]), 2);
    await store.collectSegments();
    expect(segments()).toEqual([named(1), named(2), named(3)]);
    put(named(5));
    await store.write(checkpointWith(4, [named(3)]), 2);
    await store.collectSegments();
    // 1 and 2 are superseded; 5 is of a checkpoint under way.
    expect(segments()).toEqual([named(3), named(5)]);
  });

  it('B37: with one retained, the second checkpoint removes what the first kept of an open part', async () => {
    const { store, put, segments } = setUp();
    put(named(1));
    await store.write(checkpointWith(1, [named(1)]), 1);
    await store.collectSegments();
    expect(segments()).toEqual([named(1)]);
    put(named(2));
    await store.write(checkpointWith(2, [named(2)]), 1);
    await store.collectSegments();
    expect(segments()).toEqual([named(2)]);
    await store.write(checkpointWith(3, []), 1);
    await store.collectSegments();
    await store.collectSegments();
    expect(segments()).toEqual([]);
  });

  it('leaves alone what is not named like its own', async () => {
    const { fileSystem, store, put, segments } = setUp();
    put('notes.txt', '.hidden', '1-x');
    fileSystem.put('/state/checkpoints/copy of 1.checkpoint', 'mine');
    await store.write(checkpointWith(1, []), 1);
    await store.write(checkpointWith(2, []), 1);
    await store.collectSegments();
    await store.removeTemporaries();
    expect(segments()).toEqual(['.hidden', '1-x', 'notes.txt']);
    expect(fileSystem.text('/state/checkpoints/copy of 1.checkpoint')).toBe('mine');
    expect((await new CheckpointStore(fileSystem, '/state').load())?.id).toBe(2);
  });

  it('lets one of two processes write a number; the other is fenced off', async () => {
    const { fileSystem, store } = setUp();
    const other = new CheckpointStore(fileSystem, '/state');
    await store.write(checkpointWith(1, []), 3);
    await expect(other.write(checkpointWith(1, []), 3)).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('fences off a process that slept until its number was free again', async () => {
    const { fileSystem, store } = setUp();
    const slept = new CheckpointStore(fileSystem, '/state');
    for (let id = 1; id <= 5; id++) await store.write(checkpointWith(id, []), 1);
    await expect(slept.write(checkpointWith(2, []), 1)).rejects.toMatchObject({ code: 'FENCED' });
    expect((await new CheckpointStore(fileSystem, '/state').load())?.id).toBe(5);
    expect(fileSystem.text('/state/checkpoints/0000000002.checkpoint')).toBeNull();
  });

  it('is not fenced off by its own checkpoint, there already and not answered for yet', async () => {
    const { fileSystem, store } = setUp();
    const other = new CheckpointStore(fileSystem, '/state');
    await store.write(checkpointWith(1, []), 3);
    await other.load();
    const create = fileSystem.createExclusive.bind(fileSystem);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    fileSystem.createExclusive = async (path, bytes) => {
      const made = await create(path, bytes);
      await answered;
      return made;
    };
    const written = store.write(checkpointWith(2, []), 3);
    await until('it is there', () => fileSystem.text('/state/checkpoints/0000000002.checkpoint') !== null);
    const proof = store.proveOwner();
    await expect(other.proveOwner()).rejects.toMatchObject({ code: 'FENCED' });
    answer();
    await proof;
    await written;
    await store.proveOwner();
    await other.load();
    await other.write(checkpointWith(3, []), 3);
    await expect(store.proveOwner()).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('ends where the state was removed under the job, and leaves nothing that looks like state', async () => {
    const { fileSystem, store } = setUp();
    await store.write(checkpointWith(1, []), 3);
    await store.write(checkpointWith(2, []), 3);
    for (const path of [...fileSystem.files.keys()]) await fileSystem.remove(path);
    await expect(store.write(checkpointWith(3, []), 3)).rejects.toMatchObject({ code: 'STATE_MISSING' });
    expect([...fileSystem.files.keys()]).toEqual([]);
  });

  it('refuses a checkpoint under another number, and any damaged one, even where a newer is whole', async () => {
    const { fileSystem, store } = setUp();
    await store.write(checkpointWith(1, []), 3);
    await store.write(checkpointWith(2, []), 3);
    fileSystem.rename('/state/checkpoints/0000000002.checkpoint', '/state/checkpoints/0000000003.checkpoint');
    await expect(new CheckpointStore(fileSystem, '/state').load()).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
    });
    fileSystem.rename('/state/checkpoints/0000000003.checkpoint', '/state/checkpoints/0000000002.checkpoint');
    fileSystem.put('/state/checkpoints/0000000001.checkpoint', 'torn');
    await expect(new CheckpointStore(fileSystem, '/state').load()).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
    });
  });
});
