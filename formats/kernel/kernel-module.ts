/** WebAssembly modules: compiled once a thread; each user makes an instance with a memory of its own. */
import { hashSeed } from '../../lib/core/hash-seed.ts';
import { KERNEL_BINARY } from './kernel-binary.ts';

/** The part of WebAssembly that is used; the type libraries of Node have none. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown };
};
export type WasmModule = object;

export const PAGE_BYTES = 65_536;

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
  setLines(starts: number, ends: number): void;
  setLineShift(shift: number): void;
  setBlankAfterComma(blank: number): void;
}

const compiled = compileModule(KERNEL_BINARY);

/** null where the machine has no WebAssembly, or none with vectors, or may not compile it: decoders then do without. */
export function instantiateKernel(): KernelExports | null {
  const module = compiled();
  if (module === null) return null;
  const kernel = instantiateModule<KernelExports>(module);
  kernel.setSeed(hashSeed(), hashSeed());
  return kernel;
}

/** Compiles at the first call. null where the machine has no WebAssembly, or none with vectors, or may not compile it. */
export function compileModule(base64: string): () => WasmModule | null {
  let module: WasmModule | null | undefined;
  return () => {
    module ??= compile(base64);
    return module;
  };
}

/** @typeParam Exports what the module's source exports: nothing but that source can prove it */
export function instantiateModule<Exports>(module: WasmModule): Exports {
  return new WebAssembly.Instance(module, {}).exports as Exports;
}

function compile(base64: string): WasmModule | null {
  try {
    return new WebAssembly.Module(Buffer.from(base64, 'base64'));
  } catch {
    return null;
  }
}
