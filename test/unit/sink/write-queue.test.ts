import { expect, it } from 'vitest';
import { maxWaitingBytes, WriteQueue } from '../../../lib/sink/write-queue.ts';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

it('waits while too many bytes wait, whoever asks, and no longer', async () => {
  const queue = new WriteQueue(100);
  const gates = [gate(), gate(), gate()];
  const writes = gates.map(({ opened }) => queue.add(60, () => opened));
  const settled: string[] = [];
  const waits = ['first', 'second'].map((name) => queue.settle().then(() => settled.push(name)));
  gates[0]!.open();
  await queue.add(0, async () => {});
  expect(settled).toEqual([]);
  expect(queue.waitingBytes).toBe(120);
  gates[1]!.open();
  await Promise.all(waits);
  expect(settled).toEqual(['first', 'second']);
  expect(queue.waitingBytes).toBe(60);
  gates[2]!.open();
  await Promise.all([...writes, queue.all()]);
  expect(queue.waitingBytes).toBe(0);
});

it('bounds them by what the disk needs, by a row group, and by the memory there is', () => {
  const MIB = 1024 * 1024;
  expect(maxWaitingBytes(256 * MIB, MIB / 2)).toBe(8 * MIB);
  expect(maxWaitingBytes(512 * MIB, 32 * MIB)).toBe(32 * MIB);
  expect(maxWaitingBytes(256 * MIB, 64 * MIB)).toBe(32 * MIB);
  expect(maxWaitingBytes(8192 * MIB, 512 * MIB)).toBe(64 * MIB);
  expect(maxWaitingBytes(16 * MIB, MIB / 2)).toBe(2 * MIB);
});

it('waits while too many writes wait, however small', async () => {
  const queue = new WriteQueue(100);
  const { open, opened } = gate();
  const first = Array.from({ length: 128 }, () => queue.add(0, () => opened));
  await queue.settle();
  const last = queue.add(0, () => opened);
  let settled = false;
  const wait = queue.settle().then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  expect(settled).toBe(false);
  open();
  await Promise.all([...first, last, wait]);
});

it('throws the first failure, at whatever is asked next, and writes nothing after it', async () => {
  const queue = new WriteQueue(10);
  await queue.add(20, async () => {
    throw new Error('disk');
  });
  let written = 0;
  await queue.add(20, async () => {
    written++;
  });
  await expect(queue.settle()).rejects.toThrow('disk');
  await expect(queue.all()).rejects.toThrow('disk');
  await queue.idle();
  expect(written).toBe(0);
});

it('waiting among thousands of writes costs what they are, not their square', async () => {
  const queue = new WriteQueue(0);
  let subscriptions = 0;
  // Counts who subscribes to a write: a race of all of them would do so once more at every step.
  const writes = Array.from({ length: 2000 }, () => queue.add(1, async () => {}));
  for (const write of writes) {
    const then = write.then.bind(write);
    Object.assign(write, {
      // biome-ignore lint/suspicious/noThenProperty: it watches this one promise
      then: (...handlers: Parameters<typeof then>) => {
        subscriptions++;
        return then(...handlers);
      },
    });
  }
  await queue.settle();
  expect(queue.waitingBytes).toBe(0);
  expect(subscriptions).toBeLessThan(4000);
});
