import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  segmentsOf,
} from '../../../lib/commit/checkpoint.ts';
import { claimsOf } from '../../../lib/commit/gc/claims.ts';
import { GOLDEN } from './golden-checkpoint.ts';

const FILE = path.resolve(import.meta.dirname, '../../golden/checkpoint/v1.checkpoint');
const golden = () => new Uint8Array(readFileSync(FILE));

describe('stored checkpoints', () => {
  it('B30: version 1 is read as it was first written', () => {
    expect(decodeCheckpoint(golden(), 'v1')).toMatchObject(GOLDEN);
  });

  it('name every segment that gc would keep for them', () => {
    const piece = (name: string) => ({ segment: `7-${name}-deadbeef.segment`, lengthBytes: 1, crc32: 2 });
    const { subtasks } = GOLDEN;
    const part = subtasks[0]!.sink.openParts[0]!;
    const quarantine = {
      nextCounter: 1,
      openParts: [{ ...part, tails: [{ ...part.tails[0]!, ...piece('q') }, { ...part.tails[0]! }] }],
    };
    const all: Checkpoint = {
      ...GOLDEN,
      subtasks: [{ ...subtasks[0]!, quarantine }, subtasks[0]!],
      parked: { enumerator: null, discovery: [piece('parked')] },
      ledger: {
        sinceCheckpoint: 1,
        pieces: ['ledger', 'ledger2'].map((name) => ({ ...piece(name), entries: 3 })),
        lateDropped: 0,
      },
    };
    const named = [...claimsOf([all]).named.keys()].filter((text) => text.endsWith('.segment'));
    expect(named).toHaveLength(6);
    expect(new Set(segmentsOf(all).keys())).toEqual(new Set(named));
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
