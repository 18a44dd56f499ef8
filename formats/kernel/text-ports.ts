/** Ports of columns of text: offsets and bytes, or codes of a dictionary. */
import type { BytesColumn, Column } from '../../lib/core/column.ts';
import type { StringDictionary } from '../string-dictionary.ts';
import {
  ENTRIES,
  FREE,
  FREE_END,
  KIND,
  KIND_BYTES,
  KIND_CODES,
  KIND_JSON,
  MAX_ENTRIES,
  ROOM_BYTES,
  SHIFT,
  TABLE,
  TABLE_MASK,
} from './assembly/layout.ts';
import { PortBase, type PortContext } from './column-port.ts';
import { KernelDictionary } from './kernel-dictionary.ts';

/** A column of strings as decoders keep it, see StringReader: coded until its dictionary is let go of. */
export interface StringTarget {
  readonly column: Column;
  /** null once the column is raw. */
  readonly dictionary: StringDictionary | null;
  /** Room for `size` bytes in a raw column, of which `used` are there. */
  reserveBytes(size: number, used: number): void;
}

/** Offsets and bytes: JSON values, and strings that are in no dictionary. */
abstract class OffsetsPort extends PortBase {
  /** Where the kernel puts the bytes of a run; 0 until they are wanted. */
  #bytes = 0;
  #base = 0;

  constructor(context: PortContext, slots: number) {
    super(context, slots + 1, 4);
  }

  protected prepareBytes(column: BytesColumn, row: number): boolean {
    const { memory, inputBytes } = this.context;
    // The last value may be followed by what was copied too much.
    if (this.#bytes === 0) this.#bytes = memory.allocate(inputBytes + 32);
    this.#base = column.offsets[row]!;
    memory.words[this.slots >> 2] = this.#base;
    this.set(SHIFT, this.#bytes - this.#base);
    return this.#bytes !== 0;
  }

  protected takeBytes(
    column: BytesColumn,
    target: Pick<StringTarget, 'reserveBytes'>,
    row: number,
    rows: number,
  ): void {
    const { bytes, words } = this.context.memory;
    const first = this.slots >> 2;
    const end = words[first + rows]!;
    target.reserveBytes(end, this.#base);
    column.bytes.set(bytes.subarray(this.#bytes, this.#bytes + end - this.#base), this.#base);
    column.offsets.set(words.subarray(first + 1, first + rows + 1), row + 1);
    this.takeNulls(column, row, rows);
  }
}

export class JsonPort extends OffsetsPort {
  readonly #column: BytesColumn;

  constructor(context: PortContext, column: BytesColumn, slots: number) {
    super(context, slots);
    this.#column = column;
  }

  override bind(record: number, nullable: boolean): boolean {
    const bound = super.bind(record, nullable);
    this.set(KIND, KIND_JSON);
    return bound;
  }

  prepare(row: number): boolean {
    return this.prepareBytes(this.#column, row);
  }

  take(row: number, rows: number): void {
    this.takeBytes(this.#column, this.#column, row, rows);
  }
}

export class StringPort extends OffsetsPort {
  readonly #target: StringTarget;
  readonly #dictionary: KernelDictionary;

  constructor(context: PortContext, target: StringTarget, slots: number) {
    super(context, slots);
    this.#target = target;
    this.#dictionary = new KernelDictionary(context);
  }

  prepare(row: number): boolean {
    const { column, dictionary } = this.#target;
    if (column.layout === 'bytes') {
      this.set(KIND, KIND_BYTES);
      return this.prepareBytes(column, row);
    }
    const mirror = this.#dictionary;
    if (dictionary === null || !mirror.follow(dictionary.dictionary)) return false;
    this.set(KIND, KIND_CODES);
    this.set(TABLE, mirror.table);
    this.set(TABLE_MASK, mirror.mask);
    this.set(ENTRIES, mirror.count);
    this.set(MAX_ENTRIES, Math.min(mirror.maxEntries, dictionary.maxEntries));
    this.set(ROOM_BYTES, dictionary.roomBytes);
    this.set(FREE, mirror.free);
    this.set(FREE_END, mirror.freeEnd);
    return true;
  }

  override check(): boolean {
    const { dictionary } = this.#target;
    return dictionary === null || this.#dictionary.giveBack(dictionary, this.get(ENTRIES), this.get(FREE));
  }

  take(row: number, rows: number): void {
    const { column } = this.#target;
    if (column.layout === 'bytes') this.takeBytes(column, this.#target, row, rows);
    else if (column.layout === 'dictionary') {
      const first = this.slots >> 2;
      column.codes.set(this.context.memory.words.subarray(first, first + rows), row);
      this.takeNulls(column, row, rows);
    }
  }
}
