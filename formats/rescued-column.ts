/**
 * The column `_rescued`: a JSON object of what had no column of its own, or did not fit the one it had; null for the rows
 * that fit, which are most. Decoders fill it beside their columns, and only where something is rescued.
 */
import { BytesColumn } from '../lib/core/column.ts';
import { replaceLoneSurrogates } from './lone-surrogates.ts';

const RESCUED_TYPE = { kind: 'json' } as const;

export class RescuedColumn {
  readonly #column: BytesColumn;
  /** Rows that have something, ascending, and their texts. */
  #rows: number[] = [];
  #texts: Buffer[] = [];
  /** Of the row being read: `"key":value` each. */
  #entries: string[] = [];

  constructor(capacity: number) {
    this.#column = new BytesColumn(RESCUED_TYPE, capacity);
  }

  /** The next record begins: what was kept of one that was refused is dropped. */
  beginRecord(): void {
    if (this.#entries.length > 0) this.#entries = [];
  }

  /** @param value JSON */
  keep(key: string, value: string): void {
    this.#entries.push(`${JSON.stringify(key)}:${value}`);
  }

  /** The record has become this row. */
  endRecord(row: number): void {
    if (this.#entries.length === 0) return;
    this.#rows.push(row);
    const text = Buffer.from(`{${this.#entries.join(',')}}`);
    replaceLoneSurrogates(text, 0, text.length);
    this.#texts.push(text);
    this.#entries = [];
  }

  /** The column of a batch of so many rows. Valid until the next call of `clear`. */
  finish(rows: number): BytesColumn {
    const column = this.#column;
    column.clear();
    column.reserve(rows);
    let next = 0;
    let end = 0;
    const size = this.#texts.reduce((sum, text) => sum + text.length, 0);
    column.reserveBytes(size, 0);
    for (let row = 0; row < rows; row++) {
      if (this.#rows[next] === row) {
        const text = this.#texts[next++]!;
        column.bytes.set(text, end);
        end += text.length;
      } else column.setNull(row);
      column.offsets[row + 1] = end;
    }
    column.length = rows;
    return column;
  }

  clear(): void {
    this.#rows = [];
    this.#texts = [];
    this.#entries = [];
  }
}
