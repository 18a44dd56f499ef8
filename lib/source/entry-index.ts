/** An open-addressing index, at most 5/8 full, of entries that live in dense arrays elsewhere: 4 bytes a slot. */

export const EMPTY = -1;
const FIRST_SLOTS = 1024;

export class EntryIndex {
  /** Slot -> entry, linear probing from `home(entry)`. Its length is a power of two. Replaced when it grows. */
  slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);
  readonly #homeOf: (entry: number) => number;
  #count = 0;

  /** @param homeOf 32 bits of an entry that are spread evenly; must not change while it is in the index */
  constructor(homeOf: (entry: number) => number) {
    this.#homeOf = homeOf;
  }

  add(entry: number): void {
    if ((this.#count + 1) * 8 > this.slots.length * 5) this.#grow();
    this.#place(entry);
    this.#count++;
  }

  /** The entry at `from` stands at `to` now. */
  move(from: number, to: number): void {
    this.slots[this.#slotOf(from)] = to;
  }

  /** Empties a slot and moves those behind it up, so that no probe ends too early and no tombstones pile up. */
  remove(entry: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let hole = this.#slotOf(entry);
    for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const home = this.#homeOf(slots[slot]!) & mask;
      // It may move to the hole if its home is not between the hole and where it stands.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = EMPTY;
    this.#count--;
  }

  clear(): void {
    this.slots.fill(EMPTY);
    this.#count = 0;
  }

  get memoryBytes(): number {
    return this.slots.byteLength;
  }

  #slotOf(entry: number): number {
    const mask = this.slots.length - 1;
    let slot = this.#homeOf(entry) & mask;
    while (this.slots[slot] !== entry) slot = (slot + 1) & mask;
    return slot;
  }

  #place(entry: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = this.#homeOf(entry) & mask;
    while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }

  #grow(): void {
    const before = this.slots;
    this.slots = new Int32Array(before.length * 2).fill(EMPTY);
    for (const entry of before) if (entry !== EMPTY) this.#place(entry);
  }
}
