import { describe, expect, it } from 'vitest';
import { FlushMemory } from '../../../lib/sink/flush-memory.ts';

const MIB = 1024 * 1024;

describe('memory of what was flushed', () => {
  it('is given out once, to who needs no more', () => {
    const memory = new FlushMemory();
    const bytes = new Uint8Array(MIB);
    memory.give(bytes.subarray(0, 10));
    expect(memory.keptBytes).toBe(MIB);
    expect(memory.take(MIB + 1)).toBeNull();
    expect(memory.take(1000), 'a small buffer of thousands').toBeNull();
    expect(memory.take(MIB / 2)).toBe(bytes.buffer);
    expect(memory.take(MIB / 2)).toBeNull();
    expect(memory.keptBytes).toBe(0);
  });

  it('comes back once, and only where it was lent', () => {
    const memory = new FlushMemory();
    const bytes = new Uint8Array(MIB);
    memory.giveBack(bytes);
    expect(memory.keptBytes, "somebody else's").toBe(0);
    memory.lend(bytes);
    memory.giveBack(bytes.subarray(5));
    memory.giveBack(bytes);
    expect(memory.keptBytes).toBe(MIB);
  });

  it('is bounded, and neither the smallest nor the largest is kept', () => {
    const memory = new FlushMemory();
    memory.give(new Uint8Array(0));
    memory.give(new Uint8Array(1000));
    memory.give(new Uint8Array(5 * MIB));
    expect(memory.keptBytes).toBe(0);
    for (let i = 0; i < 100; i++) memory.give(new Uint8Array(MIB));
    expect(memory.keptBytes).toBe(16 * MIB);
  });
});
