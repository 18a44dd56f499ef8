/** What a spent file must be for something to be done to it. */
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../lib/commit/checkpoint.ts';
import { SourceCleaner } from '../../../lib/commit/source-cleaner.ts';
import type { SpentFile } from '../../../lib/source/spent-file.ts';
import { Warnings } from '../../../lib/source/warnings.ts';
import type { PathStatus } from '../../../lib/storage/file-system.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const CHECKPOINT = { id: 1, subtasks: [] } as unknown as Checkpoint;
const SPENT: SpentFile = {
  path: '/in/a',
  sizeBytes: 3,
  modifiedNs: '1',
  checkpointId: 1,
  checkpointMs: 1000,
};

/** What cleaning does where the file looks like this now. */
async function clean(spent: Partial<SpentFile>, now: Partial<PathStatus>, nameIsTaken = false) {
  const clock = new ManualClock(0);
  const fileSystem = new MemoryFileSystem(clock);
  fileSystem.fileKeys = false;
  fileSystem.put('/in/a', 'a1\n', 1n);
  const found = fileSystem.stat.bind(fileSystem);
  fileSystem.stat = async (path) => {
    const status = await found(path);
    return status === null ? null : { ...status, ...now };
  };
  const warnings: string[] = [];
  const forgotten: boolean[] = [];
  const cleaner = new SourceCleaner({
    fileSystem,
    policy: { kind: 'delete' },
    folders: ['/in'],
    warnings: new Warnings(clock, ({ code }) => warnings.push(code)),
    source: {
      beginCleaning: () => {},
      endCleaning: (_, gone) => {
        forgotten.push(gone);
        return gone && !nameIsTaken;
      },
    },
    restored: [{ ...SPENT, ...spent }],
  });
  await cleaner.clean(CHECKPOINT);
  expect(cleaner.waiting).toEqual([]);
  const isRecorded = cleaner.takeForgotten().length > 0;
  expect(isRecorded).toBe(forgotten.includes(true) && !nameIsTaken);
  return { isThere: fileSystem.files.has('/in/a'), forgotten, warnings };
}

const DELETED = { isThere: false, forgotten: [true], warnings: [] };
const KEPT = { isThere: true, forgotten: [false], warnings: ['file-modified'] };
const NEW = { isThere: true, forgotten: [true], warnings: [] };

describe('a file is deleted only if it is the one that was read', () => {
  it('by its key where both are known, by size and times otherwise, as in older checkpoints', async () => {
    expect(await clean({ birthKey: '7' }, { birthKey: 8n })).toEqual(NEW);
    expect(await clean({ birthKey: '7' }, { birthKey: 8n, sizeBytes: 4 })).toEqual(NEW);
    expect(await clean({ birthKey: '7' }, { birthKey: 7n })).toEqual(DELETED);
    // Written to in place, whatever clocks say.
    expect(await clean({ birthKey: '7' }, { birthKey: 7n, modifiedNs: 2n, createdNs: 10n ** 12n })).toEqual(
      KEPT,
    );
    for (const keys of [{}, { birthKey: 7n }]) {
      expect(await clean({}, keys)).toEqual(DELETED);
      expect(await clean({}, { ...keys, modifiedNs: 2n, createdNs: 1n })).toEqual(KEPT);
      expect(await clean({}, { ...keys, modifiedNs: 2n, createdNs: 10n ** 12n })).toEqual(NEW);
    }
    expect(await clean({ birthKey: '7' }, {})).toEqual(DELETED);
  });

  it('and its name is not forgotten in the state where another file was taken by it meanwhile', async () => {
    expect(await clean({ birthKey: '7' }, { birthKey: 8n }, true)).toEqual(NEW);
    expect(await clean({ birthKey: '7' }, { birthKey: 7n }, true)).toEqual(DELETED);
  });

  it('by its ETag in an object store, where two versions may be of one second', async () => {
    expect(await clean({ identity: '-5' }, { identity: -5n, createdNs: 1n })).toEqual(DELETED);
    expect(await clean({ identity: '-5' }, { identity: 6n, createdNs: 1n })).toEqual(KEPT);
  });
});
