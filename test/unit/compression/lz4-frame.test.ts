/** LZ4 frames that liblz4 wrote (by pyarrow, see test/golden/inputs.py), and what is done to them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Lz4Frames, unlz4Frame } from '../../../formats/compression/lz4-frame.ts';
import { Xxh32 } from '../../../formats/compression/xxh32.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../golden/lz4');
const TEXT = Buffer.from(
  Array.from({ length: 20_000 }, (_, i) => `line ${(i * 7919) % 1000} of some text\n`).join(''),
);
const frame = readFileSync(path.join(FOLDER, 'text.lz4'));

describe('lz4 frames', () => {
  it('whole, and two one after the other', () => {
    expect(Buffer.from(unlz4Frame(frame)).equals(TEXT)).toBe(true);
    expect(Buffer.from(unlz4Frame(Buffer.concat([frame, frame]))).equals(Buffer.concat([TEXT, TEXT]))).toBe(
      true,
    );
  });

  it('in pieces of any size', () => {
    for (const size of [1, 7, 1000, 70_000]) {
      const frames = new Lz4Frames();
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < frame.length; at += size)
        frames.push(frame.subarray(at, at + size), (piece) => pieces.push(piece.slice()));
      frames.end();
      expect(Buffer.concat(pieces).equals(TEXT), `${size}`).toBe(true);
    }
  });

  it('cut, or with a byte changed: an error, or the same bytes', () => {
    for (let length = 1; length < frame.length; length += 97)
      expect(() => unlz4Frame(frame.subarray(0, length))).toThrow(/lz4/);
    for (let at = 0; at < 40; at++) {
      const altered = Buffer.from(frame);
      altered[at]! ^= 0x10;
      try {
        unlz4Frame(altered);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INPUT_CORRUPT' });
      }
    }
  });

  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('xxHash32 of %j', (text, hash) => {
    const bytes = Buffer.from(text);
    expect(new Xxh32().update(bytes).digest()).toBe(hash);
    const pieces = new Xxh32();
    for (const byte of bytes) pieces.update(Uint8Array.of(byte));
    expect(pieces.digest()).toBe(hash);
  });
});
