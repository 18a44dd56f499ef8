/** Reads Avro's binary encoding out of a block. Never beyond its end: what leads there is a damaged file. */
import { corrupt } from '../corrupt.ts';

export class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  end = 0;
  /** The words of the integer that `readLong` read last. */
  low = 0;
  high = 0;

  reset(bytes: Uint8Array, from: number, to: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.at = from;
    this.end = to;
  }

  /** A zig-zag variable-length integer of up to 64 bits, into `low` and `high`. */
  readLong(): void {
    const { bytes } = this;
    let at = this.at;
    let first = 0;
    let second = 0;
    let third = 0;
    let count = 0;
    for (;;) {
      if (at >= this.end || count === 10) corrupt('an integer is cut');
      const byte = bytes[at++]!;
      const bits = byte & 0x7f;
      // Pieces of 28, 28 and 8 bits: 32-bit arithmetic does for each.
      if (count < 4) first |= bits << (7 * count);
      else if (count < 8) second |= bits << (7 * (count - 4));
      else third |= bits << (7 * (count - 8));
      count++;
      if (byte < 0x80) break;
    }
    this.at = at;
    const low = first | (second << 28);
    const high = (second >>> 4) | (third << 24);
    const sign = -(low & 1);
    this.low = ((low >>> 1) | (high << 31)) ^ sign;
    this.high = (high >>> 1) ^ sign;
  }

  /** An integer as a double: a count or a length. */
  readCount(): number {
    this.readLong();
    return this.high * 4294967296 + (this.low >>> 0);
  }

  /** Items of the next piece of an array or map; a negative count is followed by the piece's bytes. */
  readBlockCount(): number {
    const count = this.readCount();
    if (count >= 0) return count;
    this.readCount();
    return -count;
  }

  /** The length of what follows, which is all there. */
  readLength(): number {
    const length = this.readCount();
    if (length < 0 || length > this.end - this.at) corrupt('a length leads out of its block');
    return length;
  }

  /** Passes over `count` bytes and gives the index of the first. */
  take(count: number): number {
    const from = this.at;
    if (count > this.end - from) corrupt('a block ends within a record');
    this.at = from + count;
    return from;
  }
}
