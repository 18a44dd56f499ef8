/** Hints: what is said to have come is looked at soon; nothing depends on it. */
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../lib/core/errors.ts';
import { INTERVAL_MS, SourceHarness } from './source-harness.ts';

/** Longer than the pause in which further hints are waited for, and far shorter than the interval. */
const SOON_MS = 100;

async function looked(source: SourceHarness): Promise<void> {
  const { looks, scans } = source.enumerator.counters;
  await source.turn();
  source.clock.advance(SOON_MS);
  await source.until(
    () => source.enumerator.counters.looks > looks || source.enumerator.counters.scans > scans,
  );
}

describe('a hint that names files', () => {
  it('makes those be looked at, soon and without a listing', async () => {
    const source = new SourceHarness();
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    source.fileSystem.put('/in/b', 'b\n');
    const seen = source.enumerator.hint(['/in/a']);
    await looked(source);
    expect(await seen).toBe(true);
    await source.drain();
    expect(source.lines).toEqual(['a']);
    expect(source.enumerator.counters).toMatchObject({ scans: 1, looks: 1 });
    await source.scan();
    await source.drain();
    expect(source.lines).toEqual(['a', 'b']);
    await source.kill();
  });

  it('repeated, late and for files known long ago, changes nothing', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    await source.start();
    await source.drain();
    for (let i = 0; i < 3; i++) {
      void source.enumerator.hint(['/in/a', '/in/a']);
      await looked(source);
      await source.drain();
    }
    const saved = source.checkpoint();
    await source.kill();
    await source.start(saved);
    void source.enumerator.hint(['/in/a']);
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual(['a']);
    await source.kill();
  });

  it('about what is not there, not wanted, or not a file finds nothing', async () => {
    const source = new SourceHarness({ include: ['**/*.ndjson'], exclude: ['tmp/**'] });
    await source.start();
    const names = ['/in/a.csv', '/in/.a.ndjson', '/in/_x/a.ndjson', '/in/tmp/a.ndjson', '/else/a.ndjson'];
    for (const name of names) source.fileSystem.put(name, 'no\n');
    source.fileSystem.put('/in/yes/a.ndjson', 'yes\n');
    void source.enumerator.hint([...names, '/in', '/in/gone.ndjson', '/in/yes/a.ndjson', '', '/', '\0']);
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual(['yes']);
    expect(source.failure).toBeNull();
    await source.kill();
  });

  it('below a folder that is not recursed into finds nothing', async () => {
    const source = new SourceHarness({ recursive: false });
    await source.start();
    source.fileSystem.put('/in/sub/a', 'no\n');
    source.fileSystem.put('/in/a', 'yes\n');
    void source.enumerator.hint(['/in/sub/a', '/in/a']);
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual(['yes']);
    await source.kill();
  });

  it('that comes during a listing is answered after it, by a look of its own', async () => {
    const source = new SourceHarness();
    source.fileSystem.put('/in/a', 'a\n');
    let seen: Promise<boolean> = Promise.resolve(false);
    source.fileSystem.fail({
      operation: 'list',
      skip: 0,
      action: () => {
        seen = source.enumerator.hint(['/in/z']);
      },
    });
    await source.start();
    source.fileSystem.put('/in/z', 'z\n');
    await looked(source);
    expect(await seen).toBe(true);
    await source.drain();
    expect(source.lines).toEqual(['a', 'z']);
    expect(source.enumerator.counters).toMatchObject({ scans: 1, looks: 1 });
    await source.kill();
  });

  it('of a file younger than min_age is kept until it is old enough', async () => {
    const source = new SourceHarness({ minAgeMs: 3000 });
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    void source.enumerator.hint(['/in/a']);
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual([]);
    source.clock.advance(3000);
    await source.turn();
    await source.drain();
    expect(source.lines).toEqual(['a']);
    expect(source.enumerator.counters.scans).toBe(1);
    await source.kill();
  });

  it('of a changed file does what the policy says', async () => {
    const source = new SourceHarness({ modified: 'reread' });
    source.fileSystem.put('/in/a', 'a\n', 1n);
    await source.start();
    await source.drain();
    source.fileSystem.put('/in/a', 'new\n', 2n);
    void source.enumerator.hint(['/in/a']);
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual(['a', 'new']);
    await source.kill();
  });

  it('that the storage does not answer is answered by a listing, and is not an error', async () => {
    const source = new SourceHarness();
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    source.fileSystem.fail({
      operation: 'stat',
      skip: 0,
      action: () => {
        throw new SluiceError('STORAGE_FAILED', 'the connection was reset', { retryable: true });
      },
    });
    const seen = source.enumerator.hint(['/in/a']);
    await looked(source);
    expect(await seen).toBe(true);
    await source.drain();
    expect(source.lines).toEqual(['a']);
    expect(source.enumerator.counters).toMatchObject({ scans: 2, looks: 0 });
    expect(source.failure).toBeNull();
    await source.kill();
  });
});

describe('many hints', () => {
  it('are answered by one listing where they name too many files', async () => {
    const source = new SourceHarness();
    await source.start();
    source.fileSystem.put('/in/a', 'a\n');
    void source.enumerator.hint(Array.from({ length: 100_000 }, (_, i) => `/in/x${i}`));
    await looked(source);
    await source.drain();
    expect(source.lines).toEqual(['a']);
    expect(source.enumerator.counters).toMatchObject({ scans: 2, looks: 0 });
    await source.kill();
  });

  it('do not put off the listing that is due', async () => {
    const source = new SourceHarness();
    await source.start();
    source.fileSystem.put('/in/unnamed', 'unnamed\n');
    for (let ms = 0; ms < INTERVAL_MS + 1000; ms += 50) {
      void source.enumerator.hint(['/in/other']);
      await source.turn();
      source.clock.advance(50);
      await source.turn();
    }
    await source.drain();
    expect(source.lines).toEqual(['unnamed']);
    expect(source.enumerator.counters.scans).toBe(2);
    await source.kill();
  });

  it('are not answered by a source that is closed', async () => {
    const source = new SourceHarness();
    await source.start();
    const before = source.enumerator.hint(['/in/a']);
    await source.kill();
    expect(await before).toBe(false);
    expect(await source.enumerator.hint(null)).toBe(false);
    expect(source.clock.pending).toBe(0);
  });
});
