/**
 * Reads the RLE / bit-packing hybrid: levels, dictionary indexes, booleans.
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */
import { corrupt } from '../../corrupt.ts';

/**
 * Fills out[0, count) from bytes[from, to).
 * @param width bits of a value, 0 to 32
 */
export function readHybrid(
  bytes: Uint8Array,
  from: number,
  to: number,
  width: number,
  out: Int32Array | Uint8Array,
  count: number,
): void {
  if (width === 0) {
    out.fill(0, 0, count);
    return;
  }
  if (width > 32) corrupt(`values of ${width} bits`);
  let at = from;
  let filled = 0;
  while (filled < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= to || shift > 28) corrupt('a run of levels or indexes is cut');
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const size = header >>> 1;
    if ((header & 1) === 0) {
      const valueBytes = (width + 7) >> 3;
      if (at + valueBytes > to || size === 0) corrupt('a run of levels or indexes is cut');
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value |= bytes[at++]! << (8 * i);
      const end = Math.min(count, filled + size);
      out.fill(value, filled, end);
      filled = end;
    } else {
      const packed = Math.min(count - filled, size * 8);
      if (size === 0 || at + ((packed * width + 7) >> 3) > to) corrupt('a run of levels or indexes is cut');
      if (width <= 24) unpack(bytes, at, width, out, filled, packed);
      else unpackWide(bytes, at, width, out, filled, packed);
      filled += packed;
      at += size * width;
    }
  }
}

/** Up to 24 bits, so that a value and the rest of the byte before fit into 32. */
function unpack(
  bytes: Uint8Array,
  from: number,
  width: number,
  out: Int32Array | Uint8Array,
  start: number,
  count: number,
): void {
  const mask = (1 << width) - 1;
  let bits = 0;
  let have = 0;
  let at = from;
  for (let i = start, end = start + count; i < end; i++) {
    while (have < width) {
      bits |= bytes[at++]! << have;
      have += 8;
    }
    out[i] = bits & mask;
    bits >>>= width;
    have -= width;
  }
}

function unpackWide(
  bytes: Uint8Array,
  from: number,
  width: number,
  out: Int32Array | Uint8Array,
  start: number,
  count: number,
): void {
  for (let i = 0, bit = from * 8; i < count; i++) {
    let value = 0;
    for (let k = 0; k < width; k++, bit++) value |= ((bytes[bit >> 3]! >> (bit & 7)) & 1) << k;
    out[start + i] = value;
  }
}
