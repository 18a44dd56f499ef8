/** A run that looks once: what it looks at again, and that it ends. */
import { describe, expect, it } from 'vitest';
import type { ModifiedPolicy } from '../../../lib/source/modification.ts';
import type { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { SourceHarness } from './source-harness.ts';

/** Starts with a checkpoint in which a file is half read, to look once. */
async function onceFromHalfRead(
  modified: ModifiedPolicy,
  meanwhile: (files: MemoryFileSystem) => void,
  subtasks = 1,
): Promise<SourceHarness> {
  const source = new SourceHarness({ splitSizeBytes: 6, mode: 'once', modified });
  source.subtasks = subtasks;
  source.fileSystem.put('/in/a', 'a1\na2\na3\na4\n', 1n);
  await source.start();
  await source.step();
  await source.step();
  const saved = source.checkpoint();
  await source.kill();
  meanwhile(source.fileSystem);
  await source.start(saved);
  return source;
}

describe('a run that looks once', () => {
  it('reads what was added to a file that it goes on with, and looks again only for that', async () => {
    for (const subtasks of [1, 2]) {
      const source = await onceFromHalfRead(
        'append',
        (files) => files.append('/in/a', 'a5\na6\n', 2n),
        subtasks,
      );
      while (!source.noMoreSplits) {
        await source.drain();
        await source.turn();
      }
      expect([...source.lines].sort()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
      expect(source.warnings).toEqual([]);
      expect(source.enumerator.counters.scans).toBe(2);
      await source.kill();
    }
    const unchanged = await onceFromHalfRead('append', () => {});
    while (!unchanged.noMoreSplits) await unchanged.step();
    expect(unchanged.enumerator.counters.scans).toBe(1);
    await unchanged.kill();
  });

  it('ends, whatever is added to a file while it is read', async () => {
    const source = await onceFromHalfRead('append', (files) => files.append('/in/a', 'a5\n', 2n));
    let tick = 3n;
    for (let steps = 0; !source.noMoreSplits; steps++) {
      expect(steps).toBeLessThan(200);
      source.fileSystem.append('/in/a', 'more\n', tick++);
      await source.step();
      await source.turn();
    }
    expect(source.lines).toContain('a5');
    expect(source.enumerator.counters.scans).toBe(2);
    await source.kill();
  });

  it('reads a file that was replaced while it was half read again, under modified: reread', async () => {
    const source = await onceFromHalfRead('reread', (files) => files.put('/in/a', 'b1\n', 2n));
    while (!source.noMoreSplits) await source.step();
    expect(source.lines).toEqual(['a1', 'a2', 'b1']);
    await source.kill();
  });
});
