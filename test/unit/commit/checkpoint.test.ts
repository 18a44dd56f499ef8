import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../../lib/commit/checkpoint.ts';
import { GOLDEN } from './golden-checkpoint.ts';

const FILE = path.resolve(import.meta.dirname, '../../golden/checkpoint/v1.checkpoint');
const golden = () => new Uint8Array(readFileSync(FILE));

describe('stored checkpoints', () => {
  it('B30: version 1 is read as it was first written', () => {
    expect(decodeCheckpoint(golden(), 'v1')).toMatchObject(GOLDEN);
  });

  it('come back equal', () => {
    expect(decodeCheckpoint(encodeCheckpoint(GOLDEN), 'x')).toEqual(GOLDEN);
  });

  it('B30: one of a later version is refused with its version, whatever its content', () => {
    const text = Buffer.from(golden()).toString().replace('sluice-checkpoint 1', 'sluice-checkpoint 2');
    expect(() => decodeCheckpoint(Buffer.from(text), 'it')).toThrow(
      expect.objectContaining({
        code: 'STATE_VERSION',
        message: 'the checkpoint it is of version 2, and this program knows version 1',
        hint: 'use the newer sluice that wrote it',
      }),
    );
  });

  it('B30: what does not begin like a checkpoint is refused', () => {
    for (const text of ['', '{}', 'sluice-checkpoint', 'sluice-checkpoint 1 abc\n{}', 'PAR1']) {
      expect(() => decodeCheckpoint(Buffer.from(text), 'it')).toThrow(
        expect.objectContaining({ code: 'STATE_CORRUPT' }),
      );
    }
  });

  it('is refused when cut anywhere, or when any bit is flipped', () => {
    const bytes = golden();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeCheckpoint(bytes.subarray(0, length), 'it')).toThrow(
        expect.objectContaining({ code: 'STATE_CORRUPT' }),
      );
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      // A bit of the version makes another version of it.
      expect(() => decodeCheckpoint(flipped, 'it')).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^STATE_(CORRUPT|VERSION)$/) }),
      );
    }
  });
});
