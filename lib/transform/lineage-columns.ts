/**
 * Fills the lineage columns of a batch. The file is a code into a dictionary, time and checkpoint are one value; only offset
 * and line differ from row to row.
 */
import { type Column, Dictionary, DictionaryColumn, FixedColumn } from '../core/column.ts';
import { LINEAGE_COLUMNS } from '../core/lineage.ts';
import type { RowPlaces } from '../core/row-places.ts';
import type { LineageName } from '../core/specs.ts';

/** What all rows of a batch have in common. */
export interface BatchOrigin {
  /** The file being read. */
  readonly path: string;
  readonly nowMs: number;
  /** Of the checkpoint that will be the first to hold these rows. */
  readonly checkpointId: number;
}

/** A daemon sees files without end; columns that are kept hold on to the dictionary that they were filled with. */
const MAX_FILES = 4096;
const TWO_32 = 4294967296;

export class LineageColumns {
  readonly #names: readonly LineageName[];
  #files = new Dictionary();
  #codeOf = new Map<string, number>();

  constructor(names: readonly LineageName[]) {
    this.#names = names;
  }

  /** One a name, of `rows` rows. */
  fill(rows: number, places: RowPlaces, origin: BatchOrigin): Column[] {
    return this.#names.map((name) => this.#column(name, rows, places, origin));
  }

  #column(name: LineageName, rows: number, places: RowPlaces, origin: BatchOrigin): Column {
    switch (name) {
      case 'file':
        return this.#fileColumn(rows, places.paths, origin.path);
      case 'offset':
        return numbers(name, rows, places.offsets);
      case 'line':
        return numbers(name, rows, places.lines);
      case 'ingested_at':
        return constant(name, rows, origin.nowMs);
      case 'checkpoint':
        return constant(name, rows, origin.checkpointId);
    }
  }

  #fileColumn(rows: number, paths: readonly string[] | null, path: string): Column {
    // Before codes are given, so that all of a batch are of one dictionary.
    if (this.#codeOf.size >= MAX_FILES) {
      this.#files = new Dictionary();
      this.#codeOf = new Map();
    }
    const first = this.#code(path);
    const column = new DictionaryColumn(LINEAGE_COLUMNS.file.type, rows, this.#files);
    if (paths === null) column.codes.fill(first, 0, rows);
    else for (let row = 0; row < rows; row++) column.codes[row] = this.#code(paths[row] ?? path);
    column.length = rows;
    return column;
  }

  #code(path: string): number {
    let code = this.#codeOf.get(path);
    if (code === undefined) {
      const bytes = Buffer.from(path);
      code = this.#files.push(bytes, 0, bytes.length);
      this.#codeOf.set(path, code);
    }
    return code;
  }
}

function emptyNumbers(name: LineageName, rows: number): FixedColumn {
  return new FixedColumn(LINEAGE_COLUMNS[name].type, 2, rows);
}

/** Whole numbers up to 2^53 as 64-bit values; NaN is null. */
function numbers(name: LineageName, rows: number, values: Float64Array | null): Column {
  const column = emptyNumbers(name, rows);
  const words = column.values;
  for (let row = 0; row < rows; row++) {
    const value = values === null ? Number.NaN : values[row]!;
    if (value >= 0) {
      words[row * 2] = (value % TWO_32) | 0;
      words[row * 2 + 1] = Math.floor(value / TWO_32);
    } else column.setNull(row);
  }
  column.length = rows;
  return column;
}

function constant(name: LineageName, rows: number, value: number): Column {
  const column = emptyNumbers(name, rows);
  column.setBigInt(0, BigInt(value));
  const [low, high] = column.values;
  for (let row = 1; row < rows; row++) {
    column.values[row * 2] = low!;
    column.values[row * 2 + 1] = high!;
  }
  column.length = rows;
  return column;
}
