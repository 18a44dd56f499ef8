/** Snappy in WebAssembly: some three times as fast as formats/parquet/snappy.ts on the pages of a Parquet part. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { compileModule, instantiateModule, PAGE_BYTES, type WasmMemory } from './kernel-module.ts';
import { SNAPPY_BINARY } from './snappy-binary.ts';

/** See assembly/snappy.ts. Addresses are byte indexes into the memory. */
interface SnappyExports {
  readonly memory: WasmMemory;
  compress(input: number, size: number, out: number): number;
}

/** The module's table is in the first page. */
const INPUT = PAGE_BYTES;
/** Behind input and output, that may be read or written over. */
const SLACK = 64;
/** Larger inputs are for somebody else: pages are seldom larger than 1 MiB, and memory once grown is kept. */
const MAX_INPUT_BYTES = 8 * 1024 * 1024;

const compiled = compileModule(SNAPPY_BINARY);

export class SnappyKernel {
  readonly #exports: SnappyExports;
  #memory: Uint8Array;

  private constructor(exports: SnappyExports) {
    this.#exports = exports;
    this.#memory = new Uint8Array(exports.memory.buffer);
  }

  /** null where the runtime has no WebAssembly. */
  static create(): SnappyKernel | null {
    const module = compiled();
    return module === null ? null : new SnappyKernel(instantiateModule<SnappyExports>(module));
  }

  /** Appends the compressed form of input[0, size), without its length, to `out`. @returns false: too large, nothing done */
  compress(input: Uint8Array, size: number, out: ByteBuffer): boolean {
    if (size > MAX_INPUT_BYTES) return false;
    // The most that the format's rules can give.
    const output = INPUT + size + SLACK;
    this.#reserve(output + size + Math.ceil(size / 6) + SLACK);
    this.#memory.set(size === input.length ? input : input.subarray(0, size), INPUT);
    const end = this.#exports.compress(INPUT, size, output);
    out.pushRange(this.#memory, output, end);
    return true;
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.length;
    if (missing <= 0) return;
    this.#exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#memory = new Uint8Array(this.#exports.memory.buffer);
  }
}
