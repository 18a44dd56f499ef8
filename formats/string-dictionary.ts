/** Byte strings to dictionary codes, for decoders. */
import { randomBytes } from 'node:crypto';
import { Dictionary } from '../lib/core/column.ts';

/**
 * Distinct values after which a dictionary costs more than it saves: its tables outgrow the second-level cache. With
 * 100,000 distinct values the look-ups took half of all decoding; 20,000 and 60,000 were equal but for noise.
 */
const MAX_ENTRIES = 20_000;
const MAX_BYTES = 1024 * 1024;
/**
 * Slots looked at for one value. The table is at most half full, where no value of honest data comes near this; the
 * seed is random, so nobody can prepare values that do.
 */
const MAX_PROBES = 128;
const MIX = 0x9e3779b1 | 0;

/** Takes a word of the value into its hash. */
function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, MIX);
  return mixed ^ (mixed >>> 15);
}

/** The length tells values apart that differ in trailing NULs. */
function finishHash(hash: number, length: number): number {
  return hashWord(hash, length);
}

/**
 * Gives each distinct value a code, by open addressing. Lives as long as its decoder; the codes mean something in
 * `dictionary`, which the columns of all its batches share.
 */
export class StringDictionary {
  readonly dictionary = new Dictionary();
  readonly #seed = randomBytes(4).readInt32LE();
  /** Slot s: hash at 2s; code + 1 at 2s + 1, 0 where the slot is empty. */
  #slots = new Int32Array(2 * 256);
  #mask = 255;
  /** The values once more, filled up with zeros to whole words, so that they are compared a word at a time. */
  #words = new Int32Array(256);
  /** Where in #words the value of a code begins; one more for the end. */
  #wordAt = new Int32Array(129);
  /** A view of the bytes looked at last. Chunks come from one buffer, so it is seldom made. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;

  /**
   * The code of bytes[start, end), which is added where it is new. What the bytes mean is the caller's affair: it may
   * leave a check of them to the first time, when `dictionary.count` has grown.
   * @returns -1 where it is new and the dictionary is over its limits: the column has to turn raw
   */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    if (this.#viewed !== bytes) this.#look(bytes);
    const view = this.#view;
    let hash = this.#seed;
    let at = start;
    for (; at + 4 <= end; at += 4) hash = hashWord(hash, view.getInt32(at, true));
    const tail = at < end ? tailWord(bytes, at, end) : 0;
    if (at < end) hash = hashWord(hash, tail);
    hash = finishHash(hash, end - start);

    const slots = this.#slots;
    let slot = hash & this.#mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return this.#add(bytes, start, end, hash, slot);
      if (slots[2 * slot] === hash && this.#equals(entry - 1, start, end, tail)) return entry - 1;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  #look(bytes: Uint8Array): void {
    this.#viewed = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether a value is the one in view at [start, end), the last 1 to 3 bytes of which are `tail`. */
  #equals(code: number, start: number, end: number, tail: number): boolean {
    const { offsets } = this.dictionary;
    if (offsets[code + 1]! - offsets[code]! !== end - start) return false;
    const words = this.#words;
    const view = this.#view;
    let word = this.#wordAt[code]!;
    let at = start;
    for (; at + 4 <= end; at += 4) if (words[word++] !== view.getInt32(at, true)) return false;
    return at === end || words[word] === tail;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const { dictionary } = this;
    const size = end - start;
    if (dictionary.count >= MAX_ENTRIES || dictionary.offsets[dictionary.count]! + size > MAX_BYTES)
      return -1;
    const code = dictionary.push(bytes, start, end);
    this.#keepWords(code, bytes, start, end);
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = code + 1;
    // At most half full, so that a probe is short.
    if (dictionary.count * 2 > this.#mask) this.#growSlots();
    return code;
  }

  #keepWords(code: number, bytes: Uint8Array, start: number, end: number): void {
    const first = this.#wordAt[code]!;
    const last = first + ((end - start + 3) >> 2);
    if (last > this.#words.length) {
      const words = new Int32Array(Math.max(last, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
    let word = first;
    let at = start;
    for (; at + 4 <= end; at += 4) this.#words[word++] = this.#view.getInt32(at, true);
    if (at < end) this.#words[word] = tailWord(bytes, at, end);
    if (code + 2 > this.#wordAt.length) {
      const wordAt = new Int32Array(this.#wordAt.length * 2);
      wordAt.set(this.#wordAt);
      this.#wordAt = wordAt;
    }
    this.#wordAt[code + 1] = last;
  }

  #growSlots(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const mask = old.length - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      slots[2 * slot] = old[i]!;
      slots[2 * slot + 1] = old[i + 1]!;
    }
    this.#slots = slots;
    this.#mask = mask;
  }

  get memoryBytes(): number {
    const { offsets, bytes } = this.dictionary;
    return (
      offsets.byteLength +
      bytes.length +
      this.#slots.byteLength +
      this.#words.byteLength +
      this.#wordAt.byteLength
    );
  }
}

/** Bytes [at, end), 1 to 3 of them, as a little-endian word. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  let word = bytes[at]!;
  if (at + 1 < end) word |= bytes[at + 1]! << 8;
  if (at + 2 < end) word |= bytes[at + 2]! << 16;
  return word;
}
