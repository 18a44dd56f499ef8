/**
 * An object read at any place, as Parquet's footers and pages are: in blocks, of which the last few are kept, because
 * the pages of a file's columns are read in turns. All of it is of one version of the object.
 */
import { SluiceError } from '../../core/errors.ts';
import { s3Location } from '../../core/location.ts';
import type { RandomSource } from '../file-system.ts';
import { ObjectSource, type ObjectSourceOptions } from './object-source.ts';

const BLOCK_BYTES = 1024 * 1024;
/** 16 MiB a file, and a file a subtask. */
const MAX_BLOCKS = 16;

export class ObjectRanges implements RandomSource {
  readonly #options: ObjectSourceOptions;
  /** Block number -> bytes, the one used last at the end. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(options: ObjectSourceOptions) {
    this.#options = options;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    const number = Math.floor(offset / BLOCK_BYTES);
    const block = await this.#block(number);
    const from = offset - number * BLOCK_BYTES;
    const length = Math.max(0, Math.min(into.length, block.length - from));
    into.set(block.subarray(from, from + length));
    return length;
  }

  async close(): Promise<void> {
    this.#blocks.clear();
  }

  async #block(number: number): Promise<Uint8Array> {
    const kept = this.#blocks.get(number);
    this.#blocks.delete(number);
    const block = kept ?? (await this.#fetch(number * BLOCK_BYTES));
    this.#blocks.set(number, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
    return block;
  }

  async #fetch(offset: number): Promise<Uint8Array> {
    const { sizeBytes, identity, ref } = this.#options;
    if (identity === null || sizeBytes === null)
      throw new SluiceError('INTERNAL', `${s3Location(ref)} is read at many places without its version`);
    const end = Math.min(sizeBytes, offset + BLOCK_BYTES);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    if (bytes.length === 0) return bytes;
    const source = await ObjectSource.open(this.#options, offset, end);
    try {
      for (let at = 0; at < bytes.length; ) {
        const read = await source.read(bytes.subarray(at));
        if (read === 0) return bytes.subarray(0, at);
        at += read;
      }
      return bytes;
    } finally {
      await source.close();
    }
  }
}
