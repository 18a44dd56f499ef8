/** The kernel's WebAssembly module: compiled once a process, and once a decoder made an instance with a memory of its own. */
import { randomBytes } from 'node:crypto';
import { KERNEL_BINARY } from './kernel-binary.ts';

/** The part of WebAssembly that is used; the type libraries of Node have none. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: KernelExports };
};
type WasmModule = object;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** See assembly/index.ts. Addresses are byte indexes into the memory. */
export interface KernelExports {
  readonly memory: WasmMemory;
  readonly rows: { readonly value: number };
  readJson(plan: number, count: number, at: number, end: number, maxRows: number): number;
  readCsv(plan: number, count: number, at: number, end: number, maxRows: number): number;
  insertEntry(table: number, mask: number, entry: number): void;
  setSeed(low: number, high: number): void;
  setDelimiter(byte: number): void;
  setLines(address: number): void;
  setBlankAfterComma(blank: number): void;
}

let compiled: WasmModule | null | undefined;

/** null where the machine has no WebAssembly, or none with vectors, or may not compile it: decoders then do without. */
export function instantiateKernel(): KernelExports | null {
  compiled ??= compile();
  if (compiled === null) return null;
  const { exports: kernel } = new WebAssembly.Instance(compiled, {});
  const seed = randomBytes(8);
  kernel.setSeed(seed.readInt32LE(0), seed.readInt32LE(4));
  return kernel;
}

function compile(): WasmModule | null {
  try {
    return new WebAssembly.Module(Buffer.from(KERNEL_BINARY, 'base64'));
  } catch {
    return null;
  }
}
