import { expect, it } from 'vitest';
import { forEachConcurrently } from '../../../lib/storage/for-each-concurrently.ts';
import type { PendingFile } from '../../../lib/storage/recoverable-writer.ts';

const files: readonly PendingFile[] = Array.from({ length: 20 }, (_, i) => ({
  hiddenPath: `/lake/.${i}`,
  finalPath: `/lake/${i}`,
  lengthBytes: i,
}));

it('publishes each file once, so many at a time', async () => {
  const published: PendingFile[] = [];
  let underWay = 0;
  let most = 0;
  await forEachConcurrently(files, 3, async (file) => {
    most = Math.max(most, ++underWay);
    await new Promise(setImmediate);
    underWay--;
    published.push(file);
  });
  expect(published).toEqual(files);
  expect(most).toBe(3);
  await forEachConcurrently([], 3, () => Promise.reject(new Error('there is none')));
});

it('throws what failed once nothing is under way any more', async () => {
  let underWay = 0;
  const publishing = forEachConcurrently(files, 3, async ({ lengthBytes }) => {
    underWay++;
    for (let turn = 0; turn <= lengthBytes; turn++) await new Promise(setImmediate);
    underWay--;
    if (lengthBytes === 1) throw new Error('it stands in the way');
  });
  await expect(publishing).rejects.toThrow('it stands in the way');
  expect(underWay).toBe(0);
});
