/** Requests that are repeated are no secret: whoever waits learns why. */
import { expect, test } from 'vitest';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { S3FileSystem } from '../../../lib/storage/s3/s3-file-system.ts';
import { countingIds } from '../../support/counting-ids.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';

/** Every wait is over at once. */
class HurriedClock extends ManualClock {
  override after(delayMs: number, callback: () => void): () => void {
    const cancel = super.after(delayMs, callback);
    queueMicrotask(() => this.advance(delayMs));
    return cancel;
  }
}

function setUp() {
  const warnings: string[] = [];
  const clock = new HurriedClock();
  const store = new MemoryObjectStore('bucket');
  const fileSystem = new S3FileSystem({
    store,
    spec: DEFAULT_S3,
    runId: '0000000a',
    clock,
    ids: countingIds(),
    onWarning: (message) => warnings.push(message),
  });
  return { warnings, store, fileSystem };
}

test('a request that fails twice is nothing to tell of', async () => {
  const { warnings, store, fileSystem } = setUp();
  store.fail({ operation: 'head', at: 'before', times: 2 });
  await fileSystem.stat('s3://bucket/a');
  expect(warnings).toEqual([]);
});

test('requests that go on failing are told of, once in a while for all of them', async () => {
  const { warnings, store, fileSystem } = setUp();
  store.fail({ operation: 'head', at: 'before', times: 8 });
  await Promise.all([fileSystem.stat('s3://bucket/a'), fileSystem.stat('s3://bucket/b')]);
  expect(warnings).toEqual(['head failed on purpose; tried 3 times, and tried on (s3.retry_timeout)']);
});
