/** The checksum of LZ4 frames. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f | 0;
const P5 = 0x165667b1 | 0;

/** xxHash32 with the seed 0, in pieces. */
export class Xxh32 {
  readonly #lanes = Int32Array.of((P1 + P2) | 0, P2, 0, -P1 | 0);
  /** Bytes that do not make 16 yet. */
  readonly #rest = new Uint8Array(16);
  #restBytes = 0;
  #size = 0;

  update(bytes: Uint8Array): this {
    this.#size += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(16 - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < 16) return this;
      this.#stripe(new DataView(this.#rest.buffer), 0);
      this.#restBytes = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 16 <= bytes.length; at += 16) this.#stripe(view, at);
    this.#rest.set(bytes.subarray(at));
    this.#restBytes = bytes.length - at;
    return this;
  }

  /** Unsigned. */
  digest(): number {
    const [a, b, c, d] = this.#lanes;
    let hash = this.#size >= 16 ? (rotate(a!, 1) + rotate(b!, 7) + rotate(c!, 12) + rotate(d!, 18)) | 0 : P5;
    hash = (hash + this.#size) | 0;
    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4)
      hash = Math.imul(rotate((hash + Math.imul(view.getInt32(at, true), P3)) | 0, 17), P4);
    for (; at < this.#restBytes; at++)
      hash = Math.imul(rotate((hash + Math.imul(this.#rest[at]!, P5)) | 0, 11), P1);
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripe(view: DataView, at: number): void {
    const lanes = this.#lanes;
    for (let lane = 0; lane < 4; lane++) {
      const word = view.getInt32(at + 4 * lane, true);
      lanes[lane] = Math.imul(rotate((lanes[lane]! + Math.imul(word, P2)) | 0, 13), P1);
    }
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
