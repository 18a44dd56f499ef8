/** Numbers for bucket ids: lasting ones for an assigner's caches, and the dense codes of one batch. */
import type { BucketVector } from '../lib/core/bucket-assigner.ts';
import { confine } from './confine.ts';

/** Ids remembered over batches. Beyond, everything is forgotten at the next batch and found again. */
export const MAX_REMEMBERED = 65_536;

export class BucketIds {
  /** Goes up when indexes lose their meaning: caches that hold them have to be emptied. */
  generation = 0;
  codes = new Int32Array(0);
  #indexes = new Map<string, number>();
  #remembered: string[] = [];
  /** For each index its code in the batch, right where #batchOf says this batch. */
  #codeOf = new Int32Array(64);
  #batchOf = new Int32Array(64);
  #batch = 0;
  #ids: string[] = [];

  /** Begins a batch: its codes go to `codes`, which has room for all rows. */
  begin(rows: number): void {
    if (this.codes.length < rows) this.codes = new Int32Array(Math.max(rows, this.codes.length * 2));
    this.#ids = [];
    // Stamps are 32-bit; starting over is far cheaper than one wrong code after 2^31 batches.
    if (this.#remembered.length > MAX_REMEMBERED || this.#batch === 0x7fff_ffff) this.#forget();
    this.#batch++;
  }

  #forget(): void {
    this.generation++;
    this.#indexes = new Map();
    this.#remembered = [];
    this.#batchOf.fill(0);
    this.#batch = 0;
  }

  /** The lasting index of an id. @throws SluiceError PATH_ESCAPE */
  index(id: string): number {
    const known = this.#indexes.get(id);
    if (known !== undefined) return known;
    const index = this.#remembered.length;
    this.#remembered.push(confine(id));
    this.#indexes.set(id, index);
    if (index === this.#codeOf.length) {
      this.#codeOf = grown(this.#codeOf);
      this.#batchOf = grown(this.#batchOf);
    }
    return index;
  }

  /** The code that an index has in this batch. */
  code(index: number): number {
    if (this.#batchOf[index] === this.#batch) return this.#codeOf[index]!;
    const code = this.#ids.length;
    this.#ids.push(this.#remembered[index]!);
    this.#batchOf[index] = this.#batch;
    this.#codeOf[index] = code;
    return code;
  }

  vector(): BucketVector {
    return { codes: this.codes, ids: this.#ids };
  }
}

function grown(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
