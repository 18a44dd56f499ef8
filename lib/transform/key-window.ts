/**
 * The last so many different keys, by 128 bits of SHA-256 each: a ring in the order in which they were first seen, and a table
 * that finds them in it. Both are typed arrays of a fixed size, whatever the keys are.
 */
import type { KeyWindowState } from '../core/key-window-state.ts';
import { nodeCrypto } from '../core/node-crypto.ts';

const WORDS = 4;
const HASH_BYTES = 16;

/** Bytes that a window of so many keys takes. */
export function windowBytes(rows: number): number {
  return rows * HASH_BYTES + tableSlots(rows) * 4;
}

/** At most half of the slots are taken, so that a search ends soon. */
function tableSlots(rows: number): number {
  return 2 ** Math.ceil(Math.log2(rows * 2));
}

export class KeyWindow {
  readonly #key: readonly string[];
  readonly #rows: number;
  readonly #ring: Uint32Array;
  /** Places in the ring, counted from 1; 0: free. */
  readonly #table: Int32Array;
  readonly #mask: number;
  #next = 0;
  #size = 0;
  readonly #scratch = new Uint32Array(WORDS);

  /** @param rows how many keys are remembered, at least 1 */
  constructor(key: readonly string[], rows: number) {
    this.#key = key;
    this.#rows = rows;
    this.#ring = new Uint32Array(rows * WORDS);
    this.#table = new Int32Array(tableSlots(rows));
    this.#mask = this.#table.length - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether a key is new; it is remembered then, and the oldest one forgotten where there is no room. */
  add(key: string): boolean {
    // 'binary' allocates no external memory for the result. A hash that nobody can aim at: a collision would lose a row.
    const digest = nodeCrypto().hash('sha256', key, 'binary');
    for (let i = 0; i < WORDS; i++) {
      this.#scratch[i] =
        digest.charCodeAt(i * 4) |
        (digest.charCodeAt(i * 4 + 1) << 8) |
        (digest.charCodeAt(i * 4 + 2) << 16) |
        (digest.charCodeAt(i * 4 + 3) << 24);
    }
    return this.#insert(this.#scratch, 0);
  }

  capture(): KeyWindowState {
    const hashes = new Uint32Array(this.#size * WORDS);
    const oldest = this.#size < this.#rows ? 0 : this.#next;
    const tail = this.#ring.subarray(oldest * WORDS, this.#size * WORDS);
    hashes.set(tail);
    hashes.set(this.#ring.subarray(0, oldest * WORDS), tail.length);
    return { key: this.#key, hashes: Buffer.from(hashes.buffer).toString('base64') };
  }

  /** Takes over the newest keys of an earlier window; nothing where its keys are of other columns. */
  restore({ key, hashes }: KeyWindowState): void {
    if (key.length !== this.#key.length || key.some((name, i) => name !== this.#key[i])) return;
    const bytes = Buffer.from(hashes, 'base64');
    const words = new Uint32Array(bytes.length / 4);
    new Uint8Array(words.buffer).set(bytes);
    for (let at = 0; at < words.length; at += WORDS) this.#insert(words, at);
  }

  #insert(words: Uint32Array, at: number): boolean {
    let slot = words[at]! & this.#mask;
    for (let place = this.#table[slot]!; place !== 0; place = this.#table[slot]!) {
      if (this.#isAt(place - 1, words, at)) return false;
      slot = (slot + 1) & this.#mask;
    }
    if (this.#size === this.#rows) {
      this.#remove(this.#next);
      // What was removed may have moved the end of this run of slots.
      slot = words[at]! & this.#mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
    } else this.#size++;
    for (let i = 0; i < WORDS; i++) this.#ring[this.#next * WORDS + i] = words[at + i]!;
    this.#table[slot] = this.#next + 1;
    this.#next = this.#next + 1 === this.#rows ? 0 : this.#next + 1;
    return true;
  }

  #isAt(place: number, words: Uint32Array, at: number): boolean {
    const ring = this.#ring;
    const base = place * WORDS;
    for (let i = 0; i < WORDS; i++) if (ring[base + i] !== words[at + i]) return false;
    return true;
  }

  /** Frees the slot of a place, and moves back those behind it that would not be found across the gap. */
  #remove(place: number): void {
    const table = this.#table;
    const mask = this.#mask;
    let gap = this.#ring[place * WORDS]! & mask;
    while (table[gap] !== place + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#ring[(table[slot]! - 1) * WORDS]! & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      table[gap] = table[slot]!;
      gap = slot;
    }
    table[gap] = 0;
  }
}
