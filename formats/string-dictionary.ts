/** Byte strings to dictionary codes, for decoders. */
import { Dictionary } from '../lib/core/column.ts';
import { hashSeed } from '../lib/core/hash-seed.ts';

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
/** Words before a value's own in the arena: its code and its length. */
const HEADER_WORDS = 2;

/** Takes a word of a value into its hash. Every hash begins with the dictionary's `seed`. */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, MIX);
  return mixed ^ (mixed >>> 15);
}

/**
 * Ends a hash.
 * @param tail the last 1 to 3 bytes as a little-endian word, 0 where whole words were all
 * @param length in bytes: it tells values apart that differ in trailing NULs
 */
export function finishHash(hash: number, tail: number, length: number): number {
  return mixWord(mixWord(hash, tail), length);
}

/**
 * Gives each distinct value a code, by open addressing. Lives as long as its decoder; the codes mean something in
 * `dictionary`, which the columns of all its batches share. What the bytes mean is the caller's affair: it may leave a
 * check of them to the time when they are new.
 */
export class StringDictionary {
  readonly dictionary = new Dictionary();
  readonly seed = hashSeed();
  /** Slot s: hash at 2s; where the value begins in the arena at 2s + 1, 0 where the slot is empty. */
  #slots = new Int32Array(2 * 256);
  #mask = 255;
  /**
   * The values once more, to be compared a word at a time: code, length in bytes, then the bytes, filled up with zeros
   * to whole words. A hit touches one place here and none in `dictionary`.
   */
  #arena = new Int32Array(512);
  #arenaEnd = 1;
  /** A view of the bytes looked at last. Chunks come from one buffer, so it is seldom made. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;

  /** Values that there may be. */
  get maxEntries(): number {
    return MAX_ENTRIES;
  }

  /** Bytes that values to come may have. */
  get roomBytes(): number {
    return MAX_BYTES - this.dictionary.offsets[this.dictionary.count]!;
  }

  /**
   * The code of bytes[start, end), which is added where it is new.
   * @returns -1 where it is new and the dictionary is over its limits: the column has to turn raw
   */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#viewOf(bytes);
    let hash = this.seed;
    let at = start;
    for (; at + 4 <= end; at += 4) hash = mixWord(hash, view.getInt32(at, true));
    const tail = tailWord(bytes, at, end);
    hash = finishHash(hash, tail, end - start);
    const code = this.find(view, start, end, hash, tail);
    return code >= 0 ? code : this.add(bytes, start, end, hash, tail);
  }

  /** The code of bytes[start, end), -1 where it is not in. */
  codeOf(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#viewOf(bytes);
    let hash = this.seed;
    let at = start;
    for (; at + 4 <= end; at += 4) hash = mixWord(hash, view.getInt32(at, true));
    const tail = tailWord(bytes, at, end);
    return this.find(view, start, end, finishHash(hash, tail, end - start), tail);
  }

  /**
   * For readers that hash while they look for a value's end: the code of the value in view at [start, end), -1 where it
   * is not in. 12 to 25 ns for a short value that is in the caches.
   */
  find(view: DataView, start: number, end: number, hash: number, tail: number): number {
    const slots = this.#slots;
    const arena = this.#arena;
    const mask = this.#mask;
    const length = end - start;
    let slot = hash & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash && arena[entry + 1] === length) {
        let word = entry + HEADER_WORDS;
        let at = start;
        while (at + 4 <= end && arena[word] === view.getInt32(at, true)) {
          word++;
          at += 4;
        }
        if (at + 4 > end && (at === end || arena[word] === tail)) return arena[entry]!;
      }
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds a value that `find` did not find. @returns its code, or -1 where the dictionary is over its limits */
  add(bytes: Uint8Array, start: number, end: number, hash: number, tail: number): number {
    const { dictionary } = this;
    const size = end - start;
    if (dictionary.count >= MAX_ENTRIES || dictionary.offsets[dictionary.count]! + size > MAX_BYTES)
      return -1;
    let slot = hash & this.#mask;
    let probes = 0;
    while (this.#slots[2 * slot + 1] !== 0) {
      if (++probes === MAX_PROBES) return -1;
      slot = (slot + 1) & this.#mask;
    }
    const code = dictionary.push(bytes, start, end);
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = this.#arenaEnd;
    this.#keep(code, bytes, start, end, tail);
    // At most half full, so that probes are short.
    if (dictionary.count * 2 > this.#mask) this.#growSlots();
    return code;
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (this.#viewed !== bytes) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }

  #keep(code: number, bytes: Uint8Array, start: number, end: number, tail: number): void {
    const view = this.#viewOf(bytes);
    let word = this.#arenaEnd;
    const after = word + HEADER_WORDS + ((end - start + 3) >> 2);
    if (after > this.#arena.length) {
      const arena = new Int32Array(Math.max(after, this.#arena.length * 2));
      arena.set(this.#arena);
      this.#arena = arena;
    }
    const arena = this.#arena;
    arena[word++] = code;
    arena[word++] = end - start;
    let at = start;
    for (; at + 4 <= end; at += 4) arena[word++] = view.getInt32(at, true);
    if (at < end) arena[word] = tail;
    this.#arenaEnd = after;
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
    return offsets.byteLength + bytes.length + this.#slots.byteLength + this.#arena.byteLength;
  }
}

/** Bytes [at, end), at most 3 of them, as a little-endian word. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  if (at < end) word = bytes[at]!;
  if (at + 1 < end) word |= bytes[at + 1]! << 8;
  if (at + 2 < end) word |= bytes[at + 2]! << 16;
  return word;
}
