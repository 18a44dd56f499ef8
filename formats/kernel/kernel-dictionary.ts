import type { Dictionary } from '../../lib/core/column.ts';
import type { StringDictionary } from '../string-dictionary.ts';
import { ENTRY_HEADER_BYTES, SLOT_BYTES } from './assembly/layout.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { KernelExports } from './kernel-module.ts';

const FIRST_SLOTS = 1024;
/** Room for entries that is there at least when a run begins, and that is asked for at a time. */
const MIN_ROOM_BYTES = 4 * 1024;
const ARENA_BYTES = 64 * 1024;

/**
 * A dictionary once more, in the kernel's memory. Both sides look values up and add new ones, in turns: before a run the
 * kernel gets what the decoder added, after it the decoder what the kernel did. The codes are those of one sequence.
 */
export class KernelDictionary {
  readonly #kernel: KernelExports;
  readonly #memory: KernelMemory;
  #followed: Dictionary | null = null;
  /** Addresses of the entries, by code. */
  readonly #entries: number[] = [];
  /** Where the next entry goes, and the end of the room for entries. */
  free = 0;
  freeEnd = 0;
  /** Address, 0 before the first `follow`. */
  table = 0;
  mask = 0;

  constructor({ kernel, memory }: { readonly kernel: KernelExports; readonly memory: KernelMemory }) {
    this.#kernel = kernel;
    this.#memory = memory;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Half of the table: beyond it probes get long. */
  get maxEntries(): number {
    return (this.mask + 1) >> 1;
  }

  /** Takes over what is new in a dictionary, always the same one. @returns false where there is no memory for it */
  follow(dictionary: Dictionary): boolean {
    if (this.#followed !== null && this.#followed !== dictionary) return false;
    this.#followed = dictionary;
    const slots = this.mask + 1;
    // With room for a quarter more, so that a run is seldom cut short.
    if (
      this.table === 0 ? !this.#grow(FIRST_SLOTS) : dictionary.count * 8 > slots * 3 && !this.#grow(slots * 4)
    )
      return false;
    while (this.count < dictionary.count) if (!this.#add(dictionary, this.count)) return false;
    return this.#reserve(MIN_ROOM_BYTES);
  }

  /**
   * Gives the decoder what the kernel added.
   * @param count of the kernel's entries @param free where its next one goes
   * @returns false where the decoder gives other codes: the run is then worth nothing
   */
  giveBack(dictionary: StringDictionary, count: number, free: number): boolean {
    const { words, bytes } = this.#memory;
    for (let code = this.count; code < count; code++) {
      const length = words[(this.free >> 2) + 1]!;
      const start = this.free + ENTRY_HEADER_BYTES;
      if (dictionary.lookup(bytes, start, start + length) !== code) return false;
      this.#entries.push(this.free);
      this.free += entryBytes(length);
    }
    return this.free === free;
  }

  #add(dictionary: Dictionary, code: number): boolean {
    const start = dictionary.offsets[code]!;
    const length = dictionary.offsets[code + 1]! - start;
    if (!this.#reserve(entryBytes(length))) return false;
    const entry = this.free;
    this.free += entryBytes(length);
    this.#memory.words[entry >> 2] = code;
    this.#memory.words[(entry >> 2) + 1] = length;
    this.#memory.bytes.set(dictionary.bytes.subarray(start, start + length), entry + ENTRY_HEADER_BYTES);
    this.#kernel.insertEntry(this.table, this.mask, entry);
    this.#entries.push(entry);
    return true;
  }

  #reserve(size: number): boolean {
    if (this.free + size <= this.freeEnd) return true;
    const arenaBytes = Math.max(ARENA_BYTES, size);
    this.free = this.#memory.allocate(arenaBytes);
    this.freeEnd = this.free + arenaBytes;
    return this.free !== 0;
  }

  #grow(slots: number): boolean {
    const table = this.#memory.allocate(slots * SLOT_BYTES);
    if (table === 0) return false;
    this.table = table;
    this.mask = slots - 1;
    for (const entry of this.#entries) this.#kernel.insertEntry(table, this.mask, entry);
    return true;
  }
}

/** At least one byte more than the value has, filled up to whole blocks. */
function entryBytes(length: number): number {
  return ENTRY_HEADER_BYTES + ((length >> 4) + 1) * 16;
}
