import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';
import { FlushMemory } from '../../../lib/core/flush-memory.ts';
import { MEMORY_SHARES } from '../../../lib/core/memory-shares.ts';

const MIB = 1024 * 1024;

describe('memory of what was flushed', () => {
  it('is given out once, to who needs no more', () => {
    const memory = new FlushMemory(1024 * MIB);
    const bytes = new Uint8Array(MIB);
    memory.give(bytes.subarray(0, 10));
    expect(memory.keptBytes).toBe(MIB);
    expect(memory.take(MIB + 1)).toBeNull();
    expect(memory.take(1000), 'a small buffer of thousands').toBeNull();
    expect(memory.take(MIB / 2)).toBe(bytes.buffer);
    expect(memory.take(MIB / 2)).toBeNull();
    expect(memory.keptBytes).toBe(0);
  });

  it('is the smallest that is large enough', () => {
    const memory = new FlushMemory(1024 * MIB);
    const [large, small, medium] = [3, 1, 2].map((size) => new Uint8Array(size * MIB));
    for (const bytes of [large!, small!, medium!]) memory.give(bytes);
    expect(memory.take(1.5 * MIB)).toBe(medium!.buffer);
    expect(memory.take(1.5 * MIB)).toBe(large!.buffer);
  });

  it('is not many times of what is asked for', () => {
    const memory = new FlushMemory(1024 * MIB);
    memory.give(new Uint8Array(8 * MIB));
    expect(memory.take(MIB)).toBeNull();
    expect(memory.take(2 * MIB)).not.toBeNull();
  });

  it('is what a buffer grows into, and what it grew out of', () => {
    const memory = new FlushMemory(1024 * MIB);
    const large = new Uint8Array(2 * MIB).fill(7);
    const buffer = new ByteBuffer(MIB, memory);
    memory.give(large);
    const outgrown = buffer.bytes.buffer;
    buffer.push(new Uint8Array(MIB).fill(1));
    buffer.pushByte(2);
    expect(buffer.bytes.buffer === large.buffer).toBe(true);
    expect(buffer.view().every((byte, i) => byte === (i < MIB ? 1 : 2))).toBe(true);
    expect(memory.take(MIB) === outgrown).toBe(true);
  });

  it('comes back once, and only where it was lent', () => {
    const memory = new FlushMemory(1024 * MIB);
    const bytes = new Uint8Array(MIB);
    memory.giveBack(bytes);
    expect(memory.keptBytes, "somebody else's").toBe(0);
    memory.lend(bytes);
    memory.giveBack(bytes.subarray(5));
    memory.giveBack(bytes);
    expect(memory.keptBytes).toBe(MIB);
  });

  it('is bounded, and neither the smallest nor the largest is kept', () => {
    const memory = new FlushMemory(1024 * MIB);
    memory.give(new Uint8Array(0));
    memory.give(new Uint8Array(1000));
    memory.give(new Uint8Array(9 * MIB));
    expect(memory.keptBytes).toBe(0);
    for (let i = 0; i < 100; i++) memory.give(new Uint8Array(MIB));
    expect(memory.keptBytes).toBe(16 * MIB);
    const small = new FlushMemory(32 * MIB);
    for (let i = 0; i < 100; i++) small.give(new Uint8Array(MIB));
    expect(small.keptBytes, 'an eighth of a small budget').toBe(4 * MIB);
  });

  it('is what the budget leaves beside what is on its way', () => {
    const memory = new FlushMemory(32 * MIB);
    const lent = [1, 2].map((size) => new Uint8Array(size * MIB));
    for (const bytes of lent) memory.lend(bytes);
    memory.give(new Uint8Array(MIB));
    memory.give(new Uint8Array(MIB));
    expect(memory.keptBytes).toBe(MIB);
    for (const bytes of lent) memory.giveBack(bytes);
    expect(memory.keptBytes).toBe(4 * MIB);
  });
});

it('the shares of the budget are no more than all of it', () => {
  const sum = Object.values(MEMORY_SHARES).reduce((all, share) => all + share, 0);
  expect(sum).toBeLessThanOrEqual(1);
});
