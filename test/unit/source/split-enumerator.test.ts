import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../lib/core/errors.ts';
import type { Rotation } from '../../../lib/source/append-follower.ts';
import { checkEnumeratorState } from '../../../lib/source/enumerator-state.ts';
import { INTERVAL_MS, SourceHarness } from './source-harness.ts';

const NS_PER_S = 1_000_000_000n;

describe('PROCESS_ONCE', () => {
  it('G81, H97: a file present at start is read, later ones are ignored, then no more splits', async () => {
    const source = new SourceHarness({ mode: 'once' });
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    source.fileSystem.put('/in/b', 'b\n');
    source.enumerator.handleSplitRequest(7);
    await source.drain();
    expect(source.noMoreSplits).toBe(true);
    expect(source.lines).toEqual(['a']);
    expect(source.assignedPaths).toEqual(['/in/a']);
    expect(source.clock.pending).toBe(0);
    source.noMoreSplits = false;
    source.enumerator.handleSplitRequest(0);
    expect(source.noMoreSplits).toBe(true);
  });

  it('ends at once over an empty folder', async () => {
    const source = new SourceHarness({ mode: 'once' });
    await source.start();
    await source.drain();
    expect(source.noMoreSplits).toBe(true);
  });

  it('G83: a second run over the same state reads only what is new', async () => {
    const source = new SourceHarness({ mode: 'once' });
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    await source.drain();
    const saved = source.checkpoint();
    await source.kill();
    source.fileSystem.put('/in/b', 'b\n');
    await source.start(saved);
    await source.drain();
    expect(source.lines).toEqual(['a', 'b']);
  });

  it('leaves files younger than min_age for the next run, and says so', async () => {
    const source = new SourceHarness({ mode: 'once', minAgeMs: 5000 });
    source.fileSystem.put('/in/old', 'old\n', BigInt(source.clock.now() - 5000) * 1_000_000n);
    source.fileSystem.put('/in/young', 'young\n');
    await source.start();
    await source.drain();
    expect(source.lines).toEqual(['old']);
    expect(source.noMoreSplits).toBe(true);
    expect(source.warnings).toMatchObject([{ code: 'file-too-young' }]);
  });
});

describe('PROCESS_CONTINUOUSLY', () => {
  it('G80, G82: later files are read, each scan in ascending mtime, and an older mtime hides nothing', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/c', 'c\n', 1n);
    source.fileSystem.put('/in/b', 'b\n', 3n);
    source.fileSystem.put('/in/a', 'a\n', 3n);
    await source.start();
    await source.drain();
    source.fileSystem.put('/in/late', 'late\n', 0n);
    source.fileSystem.put('/in/same', 'same\n', 3n);
    await source.scan();
    await source.drain();
    expect(source.assignedPaths).toEqual(['/in/c', '/in/a', '/in/b', '/in/late', '/in/same']);
    expect(source.noMoreSplits).toBe(false);
    await source.kill();
    expect(source.clock.pending).toBe(0);
  });

  it('H96: what no reader took yet is not lost; a waiting reader gets the next split at once; one that left gets none', async () => {
    const source = new SourceHarness({ splitSizeBytes: 4 });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n');
    await source.start();
    // Discovered, nobody asked: in no checkpoint, and found again.
    expect(source.checkpoint().state.splits).toEqual([]);
    source.enumerator.handleSplitRequest(0);
    const saved = source.checkpoint();
    // One range is assigned, the rest waits.
    expect(saved.state.splits).toMatchObject([{ id: '1.1', startByte: 4, endByte: null }]);
    expect(saved.splits).toMatchObject([{ id: '1.0', startByte: 0, endByte: 4 }]);
    await source.drain();
    expect(source.checkpoint().state.splits).toEqual([]);
    expect(source.lines).toEqual(['a1', 'a2', 'a3', 'a4']);
    source.enumerator.removeReader(0);
    source.fileSystem.put('/in/b', 'b\n');
    await source.scan();
    expect(source.assignedPaths).not.toContain('/in/b');
  });

  it('H102: its state comes back from JSON; what is not its state is refused', async () => {
    const source = new SourceHarness({ splitSizeBytes: 4 });
    await source.start();
    expect(checkEnumeratorState(source.checkpoint().state)).toMatchObject({ nextFile: 1, splits: [] });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n');
    await source.scan();
    source.enumerator.handleSplitRequest(0);
    const { state } = source.checkpoint();
    expect(checkEnumeratorState(JSON.parse(JSON.stringify(state)))).toEqual(source.enumerator.snapshot());
    for (const broken of [
      null,
      {},
      { ...state, nextFile: 0 },
      { ...state, splits: [{}] },
      { ...state, splits: [null] },
    ]) {
      expect(() => checkEnumeratorState(broken)).toThrow(SluiceError);
    }
    expect(() => checkEnumeratorState({ ...state, version: 2 })).toThrow(
      expect.objectContaining({ code: 'STATE_VERSION' }),
    );
  });

  it('G87, H96: splits of a lost subtask go to another one, at their positions', async () => {
    const source = new SourceHarness({}, { batchRows: 2 });
    source.fileSystem.put('/in/a', '1\n2\n3\n4\n5\n');
    await source.start();
    await source.step();
    await source.step();
    expect(source.lines).toEqual(['1', '2']);
    const { splits } = source.checkpoint();
    source.enumerator.addReader(1);
    source.enumerator.handleSplitRequest(1);
    source.enumerator.removeReader(0);
    source.assignedPaths = [];
    source.enumerator.addSplitsBack(splits);
    expect(source.assignedPaths).toEqual(['/in/a']);
    expect(splits[0]!.position).toEqual({ offset: 4, state: null, records: 2 });
  });

  it('a file that grows old enough is found as soon as it is, not an interval later', async () => {
    const source = new SourceHarness({ minAgeMs: 3000 });
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    await source.scan();
    // It was written 10 s before this scan.
    await source.drain();
    expect(source.lines).toEqual(['a']);
    source.clock.advance(INTERVAL_MS - 1000);
    source.fileSystem.put('/in/b', 'b\n');
    source.clock.advance(1000);
    await source.turn();
    await source.drain();
    expect(source.lines).toEqual(['a']);
    source.clock.advance(2000);
    await source.turn();
    await source.drain();
    expect(source.lines).toEqual(['a', 'b']);
    await source.kill();
  });

  it('a file from the future is taken once it was seen unchanged for min_age', async () => {
    const source = new SourceHarness({ minAgeMs: 15_000 });
    const future = BigInt(source.clock.now()) * 1_000_000n + 3600n * NS_PER_S;
    source.fileSystem.put('/in/a', 'a\n', future);
    await source.start();
    await source.scan();
    source.fileSystem.append('/in/a', 'b\n', future);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual([]);
    await source.scan();
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a', 'b']);
  });

  it('min_age holds when the clock is set back', async () => {
    const source = new SourceHarness({ minAgeMs: 15_000 });
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    source.clock.set(source.clock.now() - 86_400_000);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual([]);
    await source.scan();
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a']);
  });

  it('the same file under two roots is read once', async () => {
    const source = new SourceHarness({ paths: ['/in', '/in/sub', '/in/sub/a', '/in/*/a'] });
    source.fileSystem.put('/in/sub/a', 'a\n');
    await source.start();
    await source.drain();
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a']);
    // It belongs to one realm and stays there: nothing new to say in the next checkpoint.
    source.checkpoint();
    await source.scan();
    expect(source.enumerator.takeDiscoveryDelta()).toHaveLength(0);
  });
});

describe('a listing that takes long', () => {
  for (const mode of ['once', 'continuously'] as const) {
    it(`is not waited for: what it found so far is read, and each file once (${mode})`, async () => {
      const source = new SourceHarness({ mode });
      source.asksBeforeScan = true;
      for (let file = 0; file < 9; file++) source.fileSystem.put(`/in/${file}`, `${file}\n`);
      let assignedMeanwhile: readonly string[] = [];
      // Pieces of three files: the second takes a second, the end of the listing shows what was done by then.
      source.fileSystem.fail({
        operation: 'list',
        skip: 1,
        action: () => {
          assignedMeanwhile = [...source.assignedPaths];
          source.clock.advance(1000);
        },
      });
      source.fileSystem.fail({
        operation: 'list',
        skip: 2,
        action: () => {
          assignedMeanwhile = [...source.assignedPaths];
        },
      });
      await source.start();
      // A quarter of the small files known by then.
      expect(assignedMeanwhile).toEqual(['/in/0', '/in/1']);
      expect(source.noMoreSplits).toBe(false);
      await source.drain();
      expect(source.lines).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
      expect(source.noMoreSplits).toBe(mode === 'once');
    });
  }
});

describe('listing errors', () => {
  it('G77: a folder that is not there at the first scan is an error at once', async () => {
    const source = new SourceHarness();
    const { fileSystem } = source;
    fileSystem.fail({ operation: 'folderIdentity', action: () => fileSystem.folders.delete('/in') });
    await source.start();
    expect(source.failure).toMatchObject({ code: 'NOT_FOUND', exitCode: 4, details: { path: '/in' } });
  });

  it('a listing that fails in the middle is tried again and forgets nothing', async () => {
    const source = new SourceHarness();
    for (let i = 0; i < 10; i++) source.fileSystem.put(`/in/${i}`, `${i}\n`);
    await source.start();
    await source.drain();
    source.fileSystem.fail({ operation: 'list', skip: 2, times: 3 });
    await source.scan();
    await source.drain();
    expect(source.lines).toHaveLength(10);
    expect(source.enumerator.counters).toMatchObject({ known: 10, forgotten: 0, scans: 2 });
    expect(source.warnings.map((warning) => warning.code)).toEqual(Array(3).fill('listing-retried'));
  });

  it('many known files are looked at in turns: each change is told within as many scans, once', async () => {
    const source = new SourceHarness({ looksPerScan: 10 });
    for (let i = 0; i < 35; i++) source.fileSystem.put(`/in/${i}`, `${i}\n`);
    await source.start();
    await source.drain();
    for (let i = 0; i < 35; i++) source.fileSystem.touch(`/in/${i}`, 1n);
    source.fileSystem.put('/in/new', 'new\n', 1n);
    await source.scan();
    await source.drain();
    expect(source.lines).toContain('new');
    const { ignored } = source.enumerator.counters;
    expect(ignored).toBeGreaterThan(0);
    expect(ignored).toBeLessThan(35);
    source.fileSystem.files.delete('/in/new');
    for (let i = 0; i < 4; i++) await source.scan();
    expect(source.enumerator.counters).toMatchObject({ ignored: 35, listed: 35, known: 35, forgotten: 1 });
    for (let i = 0; i < 4; i++) await source.scan();
    expect(source.enumerator.counters).toMatchObject({ ignored: 35, known: 35 });
    expect(source.lines).toHaveLength(36);
    await source.kill();
  });

  it('a change that is noted by a listing that then fails is counted all the same', async () => {
    const source = new SourceHarness();
    for (const name of ['a', 'b', 'c', 'd', 'e']) source.fileSystem.put(`/in/${name}`, `${name}\n`);
    await source.start();
    await source.drain();
    source.fileSystem.append('/in/a', 'more\n', 1n);
    source.fileSystem.fail({ operation: 'list', skip: 1 });
    await source.scan();
    expect(source.enumerator.counters).toMatchObject({ ignored: 1, scans: 2 });
    expect(source.warnings.map((warning) => warning.code)).toEqual(['file-modified', 'listing-retried']);
  });

  it('is LISTING_FAILED, exit 4, once the retries are used up', async () => {
    const source = new SourceHarness();
    await source.start();
    source.fileSystem.fail({ operation: 'list', times: 100 });
    await source.scan();
    expect(source.failure).toMatchObject({ code: 'LISTING_FAILED', exitCode: 4, details: { attempts: 6 } });
    expect(source.clock.pending).toBe(0);
  });

  it('a root that is gone for a while is waited for, and nothing is read twice', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    await source.drain();
    source.fileSystem.folders.delete('/in');
    await source.turn();
    source.clock.advance(INTERVAL_MS);
    await source.turn();
    expect(source.failure).toBeNull();
    source.fileSystem.folders.set('/in', 'folder-1');
    await source.until(() => source.enumerator.counters.scans === 2);
    await source.drain();
    expect(source.lines).toEqual(['a']);
  });
});

describe('forgetting', () => {
  it('forgets a file that is gone, so that one of its name is new', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    await source.drain();
    source.fileSystem.files.delete('/in/a');
    await source.scan();
    expect(source.enumerator.counters).toMatchObject({ known: 0, forgotten: 1 });
    source.fileSystem.put('/in/a', 'again\n');
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a', 'again']);
  });

  it('never forgets what an unmounted disk holds, across restarts too', async () => {
    const source = new SourceHarness();
    for (let i = 0; i < 5; i++) source.fileSystem.put(`/in/${i}`, `${i}\n`);
    await source.start();
    await source.drain();
    const disk = source.fileSystem.replaceFolder('/in');
    await source.scan();
    expect(source.enumerator.counters).toMatchObject({ known: 5, forgotten: 0, listed: 0 });
    expect(source.warnings).toMatchObject([{ code: 'folder-replaced' }]);
    const saved = source.checkpoint();
    await source.kill();
    await source.start(saved);
    await source.scan();
    source.fileSystem.replaceFolder('/in', disk.content, disk.identity);
    await source.scan();
    await source.drain();
    expect(source.lines).toHaveLength(5);
    // Back again, files are forgotten as ever.
    source.fileSystem.files.delete('/in/3');
    await source.scan();
    expect(source.enumerator.counters.known).toBe(4);
  });

  it('does not forget when the folder changes while it is listed', async () => {
    const source = new SourceHarness();
    for (let i = 0; i < 5; i++) source.fileSystem.put(`/in/${i}`, `${i}\n`);
    await source.start();
    await source.drain();
    const { fileSystem } = source;
    fileSystem.fail({ operation: 'list', skip: 1, action: () => fileSystem.replaceFolder('/in') });
    await source.scan();
    expect(source.enumerator.counters).toMatchObject({ known: 5, forgotten: 0 });
  });

  it('does not forget what another selection leaves out', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a.csv', 'a\n');
    source.fileSystem.put('/in/b.txt', 'b\n');
    await source.start();
    await source.drain();
    const saved = source.checkpoint();
    const narrow = new SourceHarness({ include: ['*.csv'] });
    for (const [path, file] of source.fileSystem.files) narrow.fileSystem.files.set(path, file);
    narrow.fileSystem.folders.set('/in', source.fileSystem.folders.get('/in')!);
    await narrow.start(saved);
    await narrow.scan();
    expect(narrow.enumerator.counters).toMatchObject({ known: 2, listed: 1 });
    await narrow.drain();
    expect(narrow.lines).toEqual(['a', 'b']);
  });
});

describe('files that are gone or changed when they are read', () => {
  it('a missing file is counted and told, and new if it comes back', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    source.fileSystem.put('/in/b', 'b\n');
    await source.start();
    source.fileSystem.files.delete('/in/a');
    await source.drain();
    expect(source.lines).toEqual(['b']);
    expect(source.enumerator.counters).toMatchObject({ missing: 1, read: 1, known: 1, open: 0 });
    expect(source.warnings).toMatchObject([{ code: 'file-missing' }]);
    source.fileSystem.put('/in/a', 'other\n');
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['b', 'other']);
  });

  it('a file that changed before it was read is read as it is then', async () => {
    for (const modified of ['ignore', 'reread', 'append'] as const) {
      const source = new SourceHarness({ modified });
      source.fileSystem.put('/in/a', 'a\n');
      await source.start();
      source.fileSystem.append('/in/a', 'b\n', 1n);
      await source.drain();
      await source.scan();
      await source.drain();
      expect(source.lines).toEqual(['a', 'b']);
    }
  });

  it('so it is when a crash comes between the reader noticing and the next scan', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    source.enumerator.handleSplitRequest(0);
    source.fileSystem.append('/in/a', 'b\n', 1n);
    // The checkpoint begins; then the subtask finds the file changed, and says so with its answer.
    const saved = await source.checkpointWhileReading(1);
    expect(source.reader.outcome).toBe('changed');
    await source.kill();
    await source.start(saved);
    await source.drain();
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a', 'b']);
  });

  it('a file replaced half-way is left, told and counted; its rest is not mixed in', async () => {
    const source = new SourceHarness({ splitSizeBytes: 6 }, { batchRows: 1 });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\na5\na6\n');
    await source.start();
    for (let i = 0; i < 4; i++) await source.step();
    source.fileSystem.put('/in/a', 'z1\nz2\nz3\nz4\nz5\nz6\n', 1n);
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2']);
    expect(source.enumerator.counters).toMatchObject({ changed: 1, open: 0, read: 0 });
    expect(source.warnings[0]!.code).toBe('file-changed-while-read');
    await source.scan();
    expect(source.enumerator.counters.ignored).toBe(1);
    expect(source.enumerator.snapshot().splits).toEqual([]);
  });

  it('stops the job under modified: fail', async () => {
    const source = new SourceHarness({ modified: 'fail' });
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    await source.drain();
    source.fileSystem.touch('/in/a', 7n);
    await source.scan();
    expect(source.failure).toMatchObject({ code: 'FILE_MODIFIED', exitCode: 3 });
  });
});

describe('modified: append', () => {
  it('what is left of a renamed file is found however young the file is, and is not given up while nobody could look', async () => {
    const source = new SourceHarness({ modified: 'append', splitSizeBytes: 6, minAgeMs: 100 * INTERVAL_MS });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n', 0n);
    await source.start();
    await source.step();
    source.fileSystem.rename('/in/a', '/in/a.1');
    source.fileSystem.touch('/in/a.1');
    while (await source.step());
    expect(source.lines).toEqual(['a1', 'a2']);
    // The subtask has asked once, and does not ask again.
    for (let i = 0; i < 5; i++) await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(source.enumerator.counters).toMatchObject({ missing: 0 });
  });

  it('a range that was read is not held against the others of its file when that is gone', async () => {
    const source = new SourceHarness({ modified: 'append', splitSizeBytes: 6 });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n');
    await source.start();
    await source.step();
    await source.step();
    const saved = source.checkpoint();
    expect(saved.splits[0]!.position.offset).toBe(6);
    await source.kill();
    source.fileSystem.rename('/in/a', '/in/a.1');
    await source.start(saved);
    await source.drain();
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  for (const anew of ['b1\n', 'b1\nb2\nb3\nb4\n']) {
    it(`a copy of a log that was cut and written anew is not read before the log was looked at: ${anew.length} bytes`, async () => {
      const include = ['**/*.log', '**/*.1'];
      const source = new SourceHarness({ modified: 'append', rotation: 'copytruncate', include });
      source.fileSystem.put('/in/a.log', 'a1\na2\na3\n', 1n);
      await source.start();
      await source.drain();
      source.fileSystem.write('/in/a.log', anew, 3n);
      // Looked at first, because it seems to be older.
      source.fileSystem.put('/in/a.log.1', anew, 2n);
      for (let i = 0; i < 3; i++) {
        await source.scan();
        await source.drain();
      }
      expect(source.lines).toEqual(['a1', 'a2', 'a3', ...anew.trim().split('\n')]);
    });
  }

  it('what was taken of a half-made copy as a file of its own is not read again as the rest of its original', async () => {
    const source = new SourceHarness({
      modified: 'append',
      rotation: 'copytruncate',
      include: ['**/*.log', '**/*.1'],
    });
    const { fileSystem } = source;
    fileSystem.put('/in/a.log', '', 1n);
    await source.start();
    await source.drain();
    // Nothing told it for a copy: the original was cut between two looks.
    fileSystem.put('/in/a.log.1', 'a1\na2\n', 2n);
    await source.scan();
    await source.drain();
    fileSystem.append('/in/a.log', 'a1\na2\na3\na4\n', 3n);
    await source.scan();
    fileSystem.write('/in/a.log.1', 'a1\na2\na3\na4\n', 4n);
    // In one tick of the clock: looked at in the order of their names.
    fileSystem.write('/in/a.log', 'b1\n', 4n);
    for (let i = 0; i < 4; i++) {
      await source.drain();
      await source.scan();
    }
    await source.drain();
    expect([...source.lines].sort()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
    await source.kill();
  });

  describe('a log is rotated at any moment of a look at it, or at what is copied of it', () => {
    const lines = ['a1', 'a2', 'a3', 'a4'];
    const text = lines.map((line) => `${line}\n`).join('');
    const include = ['**/*.log', '**/*.1'];

    interface Case {
      readonly rotation: Rotation;
      readonly operation: 'stat' | 'open' | 'read';
      /** Lines that were taken of it before. */
      readonly taken: number;
      /** Bytes of the copy by then; null: none was begun. */
      readonly copied: number | null;
      /** Files are looked at in this order. */
      readonly seemsNewer?: boolean;
    }

    /** @returns whether the rotation fell into the look that is `skip` operations long */
    async function rotateDuring(
      skip: number,
      { rotation, operation, taken, copied, seemsNewer }: Case,
    ): Promise<boolean> {
      const source = new SourceHarness({ modified: 'append', rotation, include });
      const { fileSystem } = source;
      fileSystem.put('/in/a.log', text.slice(0, 3 * taken), 1n);
      await source.start();
      await source.drain();
      fileSystem.append('/in/a.log', text.slice(3 * taken), 2n);
      if (copied !== null) fileSystem.put('/in/a.log.1', text.slice(0, copied), seemsNewer ? 3n : 1n);
      let done = false;
      const rotate = () => {
        done = true;
        if (rotation === 'rename') {
          fileSystem.rename('/in/a.log', '/in/a.log.1');
          fileSystem.put('/in/a.log', 'b1\n', 4n);
        } else {
          fileSystem.write('/in/a.log.1', text, 3n);
          fileSystem.write('/in/a.log', 'b1\n', 4n);
        }
      };
      fileSystem.fail({ operation, path: /^.in.a/, skip, action: rotate });
      await source.scan();
      await source.drain();
      const wasReached = done;
      fileSystem.clearFaults();
      if (!done) rotate();
      for (let i = 0; i < 3; i++) {
        await source.scan();
        await source.drain();
      }
      expect([...source.lines].sort(), `${operation} ${skip}, ${taken} taken, ${copied} copied`).toEqual([
        ...lines,
        'b1',
      ]);
      await source.kill();
      return wasReached;
    }

    for (const rotation of ['rename', 'copytruncate'] as const) {
      it(`${rotation}: every line once`, async () => {
        let reached = 0;
        for (const operation of ['stat', 'open', 'read'] as const)
          for (const taken of [0, 1, 3, 4])
            for (const copied of rotation === 'rename' ? [null] : [null, 0, 4, 6, 12])
              for (const seemsNewer of copied === null ? [false] : [false, true]) {
                const moment = { rotation, operation, taken, copied, seemsNewer };
                for (let skip = 0; await rotateDuring(skip, moment); skip++) reached++;
              }
        expect(reached).toBeGreaterThan(10);
      });
    }
  });

  it('what is left of a renamed file is not given up while another subtask reads of it', async () => {
    const source = new SourceHarness({ modified: 'append', splitSizeBytes: 6 });
    source.subtasks = 2;
    await source.start();
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n');
    // Both ask.
    await source.step();
    await source.scan();
    expect(source.assignedPaths).toEqual(['/in/a', '/in/a']);
    source.fileSystem.rename('/in/a', '/in/a.1');
    // The first does not find it. The second takes its time.
    await source.step();
    for (let i = 0; i < 5; i++) await source.scan();
    expect(source.warnings).toEqual([]);
    for (let i = 0; i < 4; i++) {
      await source.drain();
      await source.scan();
    }
    expect([...source.lines].sort()).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(source.warnings).toEqual([]);
  });

  it('a file that loses its name to a followed one while the listing passes is found again by its key', async () => {
    const source = new SourceHarness({ modified: 'append', include: ['**/*.log', '**/*.1'] });
    const { fileSystem } = source;
    // A piece of the listing of their own.
    for (const name of ['x', 'y', 'z']) fileSystem.put(`/in/${name}.log`, '', 1n);
    fileSystem.put('/in/a.log', 'b1\n', 1n);
    fileSystem.put('/in/a.log.1', 'a1\n', 1n);
    await source.start();
    await source.drain();
    // Its program goes on with it until it is told.
    fileSystem.append('/in/a.log.1', 'a2\n', 2n);
    const rotate = () => {
      fileSystem.rename('/in/a.log.1', '/in/a.log.2');
      fileSystem.rename('/in/a.log', '/in/a.log.1');
    };
    fileSystem.fail({ operation: 'list', skip: 1, action: rotate });
    for (let i = 0; i < 3; i++) {
      await source.scan();
      await source.drain();
    }
    expect([...source.lines].sort()).toEqual(['a1', 'a2', 'b1']);
  });

  it('a copy that is no input is none either under the name of an empty file that was followed', async () => {
    const source = new SourceHarness({ modified: 'append', include: ['**/*.log', '**/*.1'] });
    source.fileSystem.put('/in/a.log', 'a1\n', 2n);
    source.fileSystem.put('/in/a.log.1', '', 1n);
    await source.start();
    await source.drain();
    source.fileSystem.rename('/in/a.log.1', '/in/a.log.2');
    for (let i = 0; i < 2; i++) {
      await source.scan();
      await source.drain();
    }
    source.fileSystem.put('/in/a.log.2', 'a1\n', 3n);
    for (let i = 0; i < 2; i++) {
      await source.scan();
      await source.drain();
    }
    expect(source.lines).toEqual(['a1']);
  });

  it('what was found under another name and read there is not in the next checkpoint', async () => {
    const source = new SourceHarness({ modified: 'append', splitSizeBytes: 6 });
    source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n');
    await source.start();
    await source.step();
    source.fileSystem.rename('/in/a', '/in/a.1');
    source.fileSystem.put('/in/a', 'b1\n');
    // The first range is open; the second one is not there any more.
    while (await source.step());
    expect(source.lines).toEqual(['a1', 'a2']);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
    const saved = source.checkpoint();
    expect(saved.state.splits).toEqual([]);
    await source.kill();
    await source.start(saved);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
  });

  it('reads what was added, whole lines only, and a fresh line end completes one', async () => {
    const source = new SourceHarness({ modified: 'append' });
    source.fileSystem.put('/in/a', 'a1\na');
    await source.start();
    await source.drain();
    expect(source.lines).toEqual(['a1']);
    source.fileSystem.append('/in/a', '2\na3\na4');
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'a3']);
    source.fileSystem.touch('/in/a', 7n);
    await source.scan();
    await source.drain();
    source.fileSystem.append('/in/a', '\n');
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(source.warnings).toEqual([]);
  });

  it('a last line without its end is told where no later scan looks, whatever else was read', async () => {
    for (const text of ['a1\nhalf', 'half']) {
      const source = new SourceHarness({ modified: 'append', mode: 'once' });
      source.fileSystem.put('/in/a', text);
      await source.start();
      await source.drain();
      expect(source.warnings).toMatchObject([{ code: 'line-unfinished' }]);
      await source.kill();
    }
  });

  it('on_replaced: ignore says so when a file was truncated or replaced, and reads nothing of it', async () => {
    for (const [content, why] of [
      ['a1\n', 'truncated'],
      ['b1\nb2\nb3\n', 'no longer'],
    ] as const) {
      const source = new SourceHarness({ modified: 'append', onReplaced: 'ignore' });
      source.fileSystem.put('/in/a', 'a1\na2\n');
      await source.start();
      await source.drain();
      source.fileSystem.put('/in/a', content, 8n);
      await source.scan();
      await source.drain();
      expect(source.lines).toEqual(['a1', 'a2']);
      expect(source.warnings).toHaveLength(1);
      expect(source.warnings[0]).toMatchObject({
        code: 'file-modified',
        message: expect.stringContaining(why),
      });
      await source.scan();
      await source.drain();
      expect(source.warnings).toHaveLength(1);
    }
  });

  it('does not follow formats that are not lines: the change is told and not read', async () => {
    const source = new SourceHarness({ modified: 'append', splittable: false });
    source.fileSystem.put('/in/a', 'a1\nunfinished');
    await source.start();
    await source.drain();
    source.fileSystem.append('/in/a', '\na2\n', 4n);
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a1', 'unfinished']);
    expect(source.warnings).toMatchObject([{ code: 'file-modified' }]);
  });
});
