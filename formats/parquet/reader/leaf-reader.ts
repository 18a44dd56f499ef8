/** Reads one leaf of a row group, so many rows at a time: levels and values. */
import type { Column } from '../../../lib/core/column.ts';
import type { DataType } from '../../../lib/core/data-type.ts';
import { LeafColumn, type PageDictionary } from '../../columns/leaf-column.ts';
import { corrupt } from '../../corrupt.ts';
import { bitWidth } from '../rle.ts';
import type { ChunkPages, Page } from './chunk-pages.ts';
import type { Convert } from './convert.ts';
import type { LeafNode } from './file-schema.ts';
import { readHybrid } from './hybrid.ts';
import { PLAIN_DICTIONARY, RLE_DICTIONARY, readStored } from './stored-values.ts';

const BIT_PACKED = 4;
const RLE = 3;

/** The entries of a batch. */
export interface LeafEntries {
  readonly count: number;
  /** null where every entry has a value. */
  readonly definition: Uint8Array | null;
  /** null where every entry is a row. */
  readonly repetition: Uint8Array | null;
}

/** A data page that is being consumed. */
interface OpenPage {
  readonly entries: number;
  readonly definition: Uint8Array | null;
  readonly repetition: Uint8Array | null;
  readonly column: Column | null;
  readonly indexes: Int32Array | null;
  readonly bad: ReadonlyMap<number, string> | null;
  entryAt: number;
  valueAt: number;
}

export class LeafReader {
  readonly node: LeafNode;
  readonly #convert: Convert;
  readonly #column: LeafColumn;
  #pages: ChunkPages | null = null;
  #dictionary: PageDictionary | null = null;
  #page: OpenPage | null = null;
  #definition: Uint8Array = new Uint8Array(0);
  #repetition: Uint8Array = new Uint8Array(0);
  #entries = 0;
  /** Why values of this batch do not fit, by their place among the batch's values. */
  #bad = new Map<number, string>();

  constructor(node: LeafNode, type: DataType, convert: Convert, capacity: number, column?: LeafColumn) {
    this.node = node;
    this.#convert = convert;
    this.#column = column ?? new LeafColumn(type, capacity);
  }

  /** What lasts from file to file. */
  get column(): LeafColumn {
    return this.#column;
  }

  /** Begins a row group. */
  begin(pages: ChunkPages): void {
    this.#pages = pages;
    this.#page = null;
    this.#dictionary = null;
  }

  /** Leaves rows out. */
  async skip(rows: number): Promise<void> {
    let left = rows;
    while (left > 0) {
      // Where entries are rows, pages can be passed over by their headers.
      if (this.node.maxRepetition === 0 && this.#page === null) left -= await this.#load(left);
      if (left > 0) {
        const some = Math.min(left, 8192);
        await this.read(some);
        left -= some;
      }
    }
  }

  /** Reads the next rows. @throws SluiceError INPUT_CORRUPT where there are not so many */
  async read(rows: number): Promise<void> {
    this.#column.clear();
    this.#entries = 0;
    if (this.#bad.size > 0) this.#bad = new Map();
    let left = rows;
    for (;;) {
      let page = this.#page;
      if (page === null) {
        if (left === 0 && this.node.maxRepetition === 0) return;
        await this.#load(0);
        page = this.#page;
        if (page === null) {
          if (left > 0) corrupt(`the column '${this.node.name}' ends before its row group does`);
          return;
        }
      }
      const from = page.entryAt;
      let to = from;
      if (page.repetition === null) {
        to = Math.min(page.entries, from + left);
        left -= to - from;
      } else {
        // A row goes on until an entry begins the next one, on a later page perhaps.
        for (; to < page.entries; to++) {
          if (page.repetition[to] !== 0) continue;
          if (left === 0) break;
          left--;
        }
      }
      this.#take(page, to);
      if (to < page.entries) return;
      this.#page = null;
    }
  }

  get entries(): LeafEntries {
    const { maxRepetition, presentDefinition } = this.node;
    return {
      count: this.#entries,
      definition: presentDefinition === 0 ? null : this.#definition,
      repetition: maxRepetition === 0 ? null : this.#repetition,
    };
  }

  /** The column of the rows read last, nulls in place. Once a read. */
  finish(): Column {
    const { slotDefinition, presentDefinition } = this.node;
    const { definition, count } = this.entries;
    return this.#column.finish(definition, count, slotDefinition, presentDefinition);
  }

  /** Rows of the batch with values that do not fit, and why. To be asked before `finish`. */
  badRows(): ReadonlyMap<number, string> {
    if (this.#bad.size === 0) return this.#bad;
    const rows = new Map<number, string>();
    const { count, definition, repetition } = this.entries;
    let row = -1;
    let value = 0;
    for (let e = 0; e < count; e++) {
      if (repetition === null || repetition[e] === 0) row++;
      if (definition !== null && definition[e]! < this.node.presentDefinition) continue;
      const why = this.#bad.get(value++);
      if (why !== undefined && !rows.has(row)) rows.set(row, why);
    }
    return rows;
  }

  /** Takes the entries up to `to` out of the page. */
  #take(page: OpenPage, to: number): void {
    const from = page.entryAt;
    const count = to - from;
    const start = this.#entries;
    const { presentDefinition, maxRepetition } = this.node;
    let values = count;
    if (presentDefinition > 0) {
      this.#definition = roomFor(this.#definition, start, count);
      if (page.definition === null) this.#definition.fill(presentDefinition, start, start + count);
      else {
        this.#definition.set(page.definition.subarray(from, to), start);
        values = 0;
        for (let e = from; e < to; e++) if (page.definition[e] === presentDefinition) values++;
      }
    }
    if (maxRepetition > 0) {
      this.#repetition = roomFor(this.#repetition, start, count);
      this.#repetition.set(page.repetition!.subarray(from, to), start);
    }
    const valueTo = page.valueAt + values;
    if (page.bad !== null) this.#noteBad(page, valueTo);
    if (page.indexes !== null)
      this.#column.appendIndexes(this.#dictionary!, page.indexes, page.valueAt, valueTo);
    else if (page.column !== null) this.#column.appendValues(page.column, page.valueAt, valueTo);
    page.entryAt = to;
    page.valueAt = valueTo;
    this.#entries = start + count;
  }

  #noteBad(page: OpenPage, valueTo: number): void {
    const shift = this.#column.length - page.valueAt;
    for (let i = page.valueAt; i < valueTo; i++) {
      const why = page.bad!.get(page.indexes === null ? i : page.indexes[i]!);
      if (why !== undefined) this.#bad.set(i + shift, why);
    }
  }

  /**
   * Opens the next data page.
   * @param skip entries that nobody wants; pages of no more are passed over
   * @returns entries passed over
   */
  async #load(skip: number): Promise<number> {
    let skipped = 0;
    for (;;) {
      const page = (await this.#pages?.next(skip - skipped)) ?? null;
      if (page === null) return skipped;
      const { kind, entries } = page.header;
      if (kind === 'other') continue;
      if (kind === 'dictionary') {
        const { physical, typeLength } = this.node;
        const stored = readStored(physical, 0, page.body, entries, typeLength);
        this.#dictionary = this.#column.pageDictionary(this.#convert(stored));
      } else if (entries > 0 && entries <= skip - skipped) skipped += entries;
      else if (entries > 0) {
        this.#page = this.#open(page);
        return skipped;
      }
    }
  }

  #open({ header, levels, body }: Page): OpenPage {
    const { node } = this;
    const { entries } = header;
    let definition: Uint8Array | null = null;
    let repetition: Uint8Array | null = null;
    let at = 0;
    if (header.kind === 'data-v2') {
      const { repetitionBytes } = header;
      if (node.maxRepetition > 0)
        repetition = readLevels(levels, 0, repetitionBytes, node.maxRepetition, entries);
      if (node.presentDefinition > 0)
        definition = readLevels(levels, repetitionBytes, levels.length, node.presentDefinition, entries);
    } else {
      const next = (max: number, encoding: number): Uint8Array => {
        if (encoding === BIT_PACKED || encoding !== RLE) corrupt(`levels have the encoding ${encoding}`);
        const from = at + 4;
        if (from > body.length) corrupt('the levels of a page are cut');
        at = from + new DataView(body.buffer, body.byteOffset).getUint32(at, true);
        if (at > body.length) corrupt('the levels of a page are cut');
        return readLevels(body, from, at, max, entries);
      };
      if (node.maxRepetition > 0) repetition = next(node.maxRepetition, header.repetitionEncoding);
      if (node.presentDefinition > 0) definition = next(node.presentDefinition, header.definitionEncoding);
    }
    let values = entries;
    if (definition !== null) {
      values = 0;
      for (let e = 0; e < entries; e++) if (definition[e] === node.presentDefinition) values++;
      if (values === entries) definition = null;
    }
    return {
      entries,
      definition,
      repetition,
      ...this.#values(header.encoding, body.subarray(at), values),
      entryAt: 0,
      valueAt: 0,
    };
  }

  #values(encoding: number, bytes: Uint8Array, count: number): Pick<OpenPage, 'column' | 'indexes' | 'bad'> {
    if (count === 0) return { column: null, indexes: null, bad: null };
    if (encoding !== PLAIN_DICTIONARY && encoding !== RLE_DICTIONARY) {
      const { physical, typeLength } = this.node;
      return { indexes: null, ...this.#convert(readStored(physical, encoding, bytes, count, typeLength)) };
    }
    const dictionary = this.#dictionary;
    if (dictionary === null) return corrupt('a page needs a dictionary, and there is none');
    const indexes = new Int32Array(count);
    readHybrid(bytes, 1, bytes.length, bytes[0] ?? 0, indexes, count);
    const { length } = dictionary.column;
    for (let i = 0; i < count; i++)
      if (indexes[i]! >>> 0 >= length) corrupt('an index leads out of its dictionary');
    return { column: null, indexes, bad: dictionary.bad };
  }
}

function readLevels(bytes: Uint8Array, from: number, to: number, max: number, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  readHybrid(bytes, from, to, bitWidth(max), levels, count);
  for (let e = 0; e < count; e++) if (levels[e]! > max) corrupt('a level is out of range');
  return levels;
}

function roomFor(levels: Uint8Array, used: number, more: number): Uint8Array {
  if (used + more <= levels.length) return levels;
  const grown = new Uint8Array(Math.max(used + more, levels.length * 2, 1024));
  grown.set(levels.subarray(0, used));
  return grown;
}
