/**
 * Definition and repetition levels: how a nested column becomes one flat run of values per leaf.
 * https://parquet.apache.org/docs/file-format/nestedencoding/ (the Dremel paper's shredding, column by column).
 *
 * An entry is what stands in a leaf for a value or for its absence: one a row where nothing is repeated, else one an
 * element and one for each list that is null or empty.
 */
import { type Column, identityRows } from '../../lib/core/column.ts';
import type { Field } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';

/** The entries of one leaf of a row group. Arrays may be longer than they say; valid until the next leaf. */
export interface Entries {
  readonly count: number;
  /** Definition level of each entry; null where `bitmap` or nothing at all says it. */
  readonly definition: Uint8Array | null;
  /** Definition levels of a column that is not nested, as its validity bitmap: 1 is a value. null: all are values. */
  readonly bitmap: Uint8Array | null;
  /** Repetition level of each entry, 0 where a row begins; null where nothing is repeated: each entry is a row. */
  readonly repetition: Uint8Array | null;
  /** How many entries are values. */
  readonly valueCount: number;
  /** The row of the leaf's column that each value stands in, ascending; null where they are 0, 1, 2 ... */
  readonly valueRows: Int32Array | null;
}

/** Called for each leaf in the schema's order. */
export type LeafVisitor = (column: Column, entries: Entries) => void;

/** What is known of the entries at one depth on the way down to the leaves. */
interface Level {
  count: number;
  /** Row in the column at this depth; -1 for an entry that ended above it, as null or an empty list. */
  rows: Int32Array;
  /** Definition level of the entries that ended; of the others it is `present`, as long as nothing below is null. */
  definition: Uint8Array;
  present: number;
  /** How many entries have not ended. */
  live: number;
  repetition: Uint8Array;
}

/** Turns columns into entries, in memory that is used again for each column. */
export class Shredder {
  readonly #levels: Level[] = [];
  #valueRows = new Int32Array(0);

  /**
   * Visits the leaves of one top-level column with `rows` rows.
   * @throws SluiceError BAD_RECORD where a column that is not nullable has a null
   */
  shred(column: Column, field: Field, rows: number, visit: LeafVisitor): void {
    if (column.layout !== 'list' && column.layout !== 'struct') {
      visit(column, this.#flatEntries(column, field, rows));
      return;
    }
    const top = this.#level(0, rows);
    top.rows.set(identityRows(rows).subarray(0, rows));
    top.definition.fill(0, 0, rows);
    top.present = 0;
    top.live = rows;
    top.repetition.fill(0, 0, rows);
    this.#descend(column, field.name, field.nullable, 0, 0, 0, false, visit);
  }

  /** A column that is not nested needs no levels of its own: Arrow's validity bitmap is their packed form. */
  #flatEntries(column: Column, field: Field, count: number): Entries {
    if (column.nullCount === 0 || column.validity === null) {
      return { count, definition: null, bitmap: null, repetition: null, valueCount: count, valueRows: null };
    }
    if (!field.nullable) refuseNull(field.name);
    const { validity } = column;
    const valueRows = this.#values(count);
    let n = 0;
    for (let row = 0; row < count; row++) {
      valueRows[n] = row;
      n += (validity[row >> 3]! >> (row & 7)) & 1;
    }
    return { count, definition: null, bitmap: validity, repetition: null, valueCount: n, valueRows };
  }

  /**
   * @param definition level of an entry that is there so far
   * @param repetition level at which the innermost list around here repeats
   */
  #descend(
    column: Column,
    path: string,
    nullable: boolean,
    depth: number,
    definition: number,
    repetition: number,
    repeated: boolean,
    visit: LeafVisitor,
  ): void {
    const present = nullable ? definition + 1 : definition;
    switch (column.layout) {
      case 'list': {
        this.#expandList(column, path, nullable, depth, definition, repetition + 1);
        this.#descend(
          column.child,
          `${path}.element`,
          true,
          depth + 1,
          present + 1,
          repetition + 1,
          true,
          visit,
        );
        return;
      }
      case 'struct': {
        const isNull = column.nullCount > 0 || nullable;
        if (isNull) this.#endNulls(column, path, nullable, depth, definition);
        const childDepth = isNull ? depth + 1 : depth;
        column.children.forEach((child, i) => {
          const field = column.fields[i]!;
          this.#descend(
            child,
            `${path}.${field.name}`,
            field.nullable,
            childDepth,
            present,
            repetition,
            repeated,
            visit,
          );
        });
        return;
      }
      default: {
        visit(column, this.#leafEntries(column, path, nullable, depth, definition, repeated));
      }
    }
  }

  /** One entry for each element, and one for each list that is null or empty. */
  #expandList(
    column: Column & { layout: 'list' },
    path: string,
    nullable: boolean,
    depth: number,
    definition: number,
    repeat: number,
  ): void {
    const from = this.#levels[depth]!;
    const to = this.#level(depth + 1, from.count + column.child.length);
    const { offsets } = column;
    const hasNulls = column.nullCount > 0;
    const empty = nullable ? definition + 1 : definition;
    // Elements are nullable: one that has a value is two levels above an empty list.
    const present = empty + 2;
    let n = 0;
    let ended = 0;
    for (let e = 0; e < from.count; e++) {
      const row = from.rows[e]!;
      to.repetition[n] = from.repetition[e]!;
      if (row >= 0 && !(hasNulls && column.isNull(row))) {
        const start = offsets[row]!;
        const end = offsets[row + 1]!;
        if (end > start) {
          to.definition[n] = present;
          to.rows[n++] = start;
          for (let child = start + 1; child < end; child++) {
            to.rows[n] = child;
            to.definition[n] = present;
            to.repetition[n++] = repeat;
          }
          continue;
        }
        to.definition[n] = empty;
      } else {
        if (row >= 0 && !nullable) refuseNull(path);
        to.definition[n] = row < 0 ? from.definition[e]! : definition;
      }
      to.rows[n++] = -1;
      ended++;
    }
    to.count = n;
    to.present = present;
    to.live = n - ended;
  }

  /** Ends the entries whose struct is null. */
  #endNulls(column: Column, path: string, nullable: boolean, depth: number, definition: number): void {
    const from = this.#levels[depth]!;
    const to = this.#level(depth + 1, from.count);
    to.repetition.set(from.repetition.subarray(0, from.count));
    to.present = -1;
    to.live = -1;
    for (let e = 0; e < from.count; e++) {
      const row = from.rows[e]!;
      const ends = row >= 0 && column.isNull(row);
      if (ends && !nullable) refuseNull(path);
      to.rows[e] = ends ? -1 : row;
      to.definition[e] = row < 0 ? from.definition[e]! : definition;
    }
  }

  #leafEntries(
    column: Column,
    path: string,
    nullable: boolean,
    depth: number,
    definition: number,
    repeated: boolean,
  ): Entries {
    const from = this.#levels[depth]!;
    const { count } = from;
    const repetition = repeated ? from.repetition : null;
    const present = nullable ? definition + 1 : definition;
    // A list of values without nulls, the usual one: the list has said all levels, and all elements are values.
    if (column.nullCount === 0 && from.present === present && from.live === column.length) {
      return {
        count,
        definition: from.definition,
        bitmap: null,
        repetition,
        valueCount: from.live,
        valueRows: null,
      };
    }
    const to = this.#level(depth + 1, count);
    const valueRows = this.#values(count);
    const hasNulls = column.nullCount > 0;
    let n = 0;
    for (let e = 0; e < count; e++) {
      const row = from.rows[e]!;
      if (row < 0) to.definition[e] = from.definition[e]!;
      else if (hasNulls && column.isNull(row)) {
        if (!nullable) refuseNull(path);
        to.definition[e] = definition;
      } else {
        to.definition[e] = present;
        valueRows[n++] = row;
      }
    }
    return {
      count,
      definition: to.definition,
      bitmap: null,
      repetition,
      valueCount: n,
      // Ascending and as many as the column has rows: they are all of its rows.
      valueRows: n === column.length ? null : valueRows,
    };
  }

  #level(depth: number, entries: number): Level {
    const level = this.#levels[depth];
    if (level !== undefined && level.rows.length >= entries) {
      level.count = entries;
      return level;
    }
    const capacity = Math.max(entries, (level?.rows.length ?? 0) * 2);
    const grown = {
      count: entries,
      present: -1,
      live: -1,
      rows: new Int32Array(capacity),
      definition: new Uint8Array(capacity),
      repetition: new Uint8Array(capacity),
    };
    this.#levels[depth] = grown;
    return grown;
  }

  #values(count: number): Int32Array {
    // One more than needed: the loop over a bitmap writes before it knows whether the row counts.
    if (this.#valueRows.length <= count)
      this.#valueRows = new Int32Array(Math.max(count + 1, this.#valueRows.length * 2));
    return this.#valueRows;
  }
}

function refuseNull(path: string): never {
  throw new SluiceError('BAD_RECORD', `column '${path}' is null and may not be`, {
    details: { column: path },
  });
}
