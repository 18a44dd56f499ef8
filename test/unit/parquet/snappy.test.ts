import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { SnappyKernel } from '../../../formats/kernel/snappy-kernel.ts';
import { SnappyCompressor } from '../../../formats/parquet/snappy.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';

function compress(input: Uint8Array, compressor: SnappyCompressor): Uint8Array {
  const out = new ByteBuffer(0);
  out.pushByte(0xaa); // what stands before must stay
  compressor.compress(input, input.length, out);
  expect(out.bytes[0]).toBe(0xaa);
  return out.view().slice(1);
}

function expectRoundTripBy(snappy: SnappyCompressor, input: Uint8Array): void {
  const compressed = compress(input, snappy);
  const output = new Uint8Array(input.length);
  snappyUncompress(compressed, output);
  expect(Buffer.compare(output, input)).toBe(0);
  expect(compressed.length).toBeLessThanOrEqual(32 + input.length + Math.ceil(input.length / 6));
}

/** Bytes that repeat themselves at all distances and lengths. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.record({ fresh: fc.uint8Array({ maxLength: 80 }) }),
      fc.record({ back: fc.integer({ min: 1, max: 70_000 }), length: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ byte: fc.integer({ min: 0, max: 255 }), times: fc.integer({ min: 1, max: 3000 }) }),
    ),
    { maxLength: 60 },
  )
  .map((steps) => {
    const out: number[] = [];
    for (const step of steps) {
      if ('fresh' in step) out.push(...step.fresh);
      else if ('byte' in step) for (let i = 0; i < step.times; i++) out.push(step.byte);
      else
        for (let i = 0; i < step.length && out.length > 0; i++)
          out.push(out[Math.max(0, out.length - step.back)]!);
    }
    return Uint8Array.from(out);
  });

const WAYS: readonly [string, () => SnappyKernel | null][] = [
  ['WebAssembly', () => SnappyKernel.create()],
  ['JavaScript', () => null],
];

describe.each(WAYS)('snappy in %s', (way, kernel) => {
  const snappy = new SnappyCompressor(kernel());
  const expectRoundTrip = (input: Uint8Array) => expectRoundTripBy(snappy, input);

  it('is there', () => expect(kernel() !== null).toBe(way === 'WebAssembly'));

  it('gives back 3,000 inputs of all kinds', { timeout: 60_000 }, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), expectRoundTrip), { numRuns: 1000 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 255), { maxLength: 2000 }), (bytes) =>
        expectRoundTrip(Uint8Array.from(bytes)),
      ),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(repetitive, expectRoundTrip), { numRuns: 1000 });
  });

  it('handles every length around the margins, and copies of every length', () => {
    for (let size = 0; size < 200; size++) {
      expectRoundTrip(new Uint8Array(size).fill(7));
      expectRoundTrip(Uint8Array.from({ length: size }, (_, i) => i % 11));
      const twice = Uint8Array.from({ length: 300 + size }, (_, i) => (i * 131) ^ (i >> 3));
      expectRoundTrip(Buffer.concat([twice, twice.subarray(0, size), Uint8Array.of(1, 2, 3), twice]));
    }
  });

  it('compresses a view into a larger buffer, of more than 64 KiB, with matches too far away', () => {
    const random = Uint8Array.from({ length: 70_000 }, (_, i) => Math.imul(i ^ (i >> 7), 2654435761) >>> 24);
    const backing = Buffer.concat([Buffer.alloc(3), random, random, random]);
    expectRoundTrip(backing.subarray(3));
    expectRoundTrip(new Uint8Array(1 << 20));
  });

  it('is not confused by what the input before left in its table', () => {
    const compressor = new SnappyCompressor(kernel());
    const text = new TextEncoder().encode('the same words in every input, the same words '.repeat(20));
    const first = compress(text, compressor);
    for (let i = 0; i < 50; i++) expect(compress(text, compressor)).toEqual(first);
  });

  it('goes on with what is larger than its memory may be', () => {
    const large = new Uint8Array(9 << 20);
    for (let i = 0; i < large.length; i += 100) large[i] = i >> 8;
    expectRoundTrip(large);
  });

  it('compresses what can be', () => {
    const text = new TextEncoder().encode('{"user":"u-1","page":"/index.html","status":200}\n'.repeat(2000));
    expect(compress(text, snappy).length).toBeLessThan(text.length / 15);
  });
});
