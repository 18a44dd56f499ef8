import { PAGE_BYTES, type WasmMemory } from './kernel-module.ts';

/** What the module's own data takes: it is in the first page. */
const FIRST_FREE = PAGE_BYTES;
/** Of one decoder: input, output of one run, and dictionaries. Who needs more does without the kernel. */
const MAX_BYTES = 96 * 1024 * 1024;

/** The memory of one kernel, given out and never taken back. */
export class KernelMemory {
  readonly #memory: WasmMemory;
  #free = FIRST_FREE;
  /** The whole of it, as bytes and as words. Other objects once it grew. */
  bytes: Uint8Array;
  words: Int32Array;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
  }

  /** @returns the address of `size` zeros, at a multiple of 16; 0 where the limit is reached */
  allocate(size: number): number {
    const address = this.#free;
    const end = (address + size + 15) & ~15;
    if (end > MAX_BYTES) return 0;
    if (end > this.bytes.length) {
      // Half as much again, so that the views are seldom made anew.
      const wanted = Math.min(MAX_BYTES, Math.max(end, this.bytes.length * 1.5));
      this.#memory.grow(Math.ceil((wanted - this.bytes.length) / PAGE_BYTES));
      this.bytes = new Uint8Array(this.#memory.buffer);
      this.words = new Int32Array(this.#memory.buffer);
    }
    this.#free = end;
    return address;
  }

  get memoryBytes(): number {
    return this.bytes.length;
  }
}
