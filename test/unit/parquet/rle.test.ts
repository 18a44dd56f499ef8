import fc from 'fast-check';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { describe, expect, it } from 'vitest';
import { bitWidth, pushBitmapRun, pushHybrid, pushRun } from '../../../formats/parquet/rle.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';

function decode(out: ByteBuffer, width: number, count: number): number[] {
  const values = new Array<number>(count).fill(-1);
  const reader = { view: new DataView(out.bytes.buffer, out.bytes.byteOffset, out.length), offset: 0 };
  readRleBitPackedHybrid(reader, width, values, out.length);
  return values;
}

/** Values of a width, with runs among them. */
const runs = fc.integer({ min: 1, max: 20 }).chain((width) =>
  fc
    .array(
      fc.record({
        value: fc.integer({ min: 0, max: 2 ** width - 1 }),
        times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100 })),
      }),
      { minLength: 1, maxLength: 60 },
    )
    .map((steps) => ({
      width,
      values: steps.flatMap(({ value, times }) => new Array<number>(times).fill(value)),
    })),
);

describe('RLE / bit-packed hybrid', () => {
  it('knows how many bits an integer takes', () => {
    expect([0, 1, 2, 3, 4, 255, 256, 65_535, 65_536].map(bitWidth)).toEqual([0, 1, 2, 2, 3, 8, 9, 16, 17]);
  });

  it('gives back values of every width, from any place on', () => {
    fc.assert(
      fc.property(runs, fc.nat(), ({ width, values }, skip) => {
        const from = skip % values.length;
        const out = new ByteBuffer(0);
        pushHybrid(out, Int32Array.from(values), from, values.length, width);
        expect(decode(out, width, values.length - from)).toEqual(values.slice(from));
        if (width > 8) return;
        const bytes = new ByteBuffer(0);
        pushHybrid(bytes, Uint8Array.from(values), from, values.length, width);
        expect(bytes.view()).toEqual(out.view());
      }),
      { numRuns: 1000 },
    );
  });

  it('packs as the example of the format does', () => {
    const out = new ByteBuffer();
    pushHybrid(out, Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 0, 8, 3);
    expect([...out.view()]).toEqual([3, 0b10001000, 0b11000110, 0b11111010]);
  });

  it('writes equal values as one run, and nothing for none', () => {
    const out = new ByteBuffer();
    pushHybrid(out, new Int32Array(1000).fill(5), 0, 1000, 3);
    expect([...out.view()]).toEqual([0xd0, 0x0f, 5]);
    out.clear();
    pushHybrid(out, new Int32Array(9), 0, 9, 0);
    expect([...out.view()]).toEqual([18]);
    out.clear();
    pushHybrid(out, new Int32Array(9), 4, 4, 3);
    expect(out.length).toBe(0);
    pushRun(out, 0x12345, 2, 17);
    expect([...out.view()]).toEqual([4, 0x45, 0x23, 0x01]);
  });

  it('takes a validity bitmap from any bit on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), (bitmap, a, b) => {
        const bits = [...bitmap].flatMap((byte) => [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => (byte >> bit) & 1));
        const from = a % bits.length;
        const to = from + 1 + (b % (bits.length - from));
        const out = new ByteBuffer(0);
        pushBitmapRun(out, bitmap, from, to);
        expect(decode(out, 1, to - from)).toEqual(bits.slice(from, to));
      }),
    );
  });
});
