import type { Batch } from '../../lib/core/batch.ts';
import { bufferedBytes, heldBytes } from '../../lib/core/buffered-bytes.ts';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkWriter } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { FlushMemory } from '../../lib/core/flush-memory.ts';
import type { RowBuffer } from '../../lib/core/row-buffer.ts';
import { restoreRows, saveRows } from '../../lib/core/tail.ts';
import type { ParquetEngine } from './engine.ts';
import { MAGIC } from './footer.ts';
import { encodePartState, type PartState } from './part-state.ts';
import type { RowBufferPool } from './row-buffer-pool.ts';
import type { Leaf } from './schema.ts';
import type { SizeEstimator } from './size-estimator.ts';

/** What the writers of a format share; they are used one at a time. */
export interface SharedEncoder {
  readonly engine: ParquetEngine;
  readonly buffers: RowBufferPool;
  readonly sizes: SizeEstimator;
  readonly flushed: FlushMemory;
}

/** Writes one part. Rows wait in a row buffer, which goes back to the pool with every row group. */
export class ParquetWriter implements BulkWriter {
  readonly #schema: Schema;
  readonly #leaves: readonly Leaf[];
  readonly #shared: SharedEncoder;
  #buffer: RowBuffer | null = null;
  #state: PartState;
  #isFinished = false;
  /** Of #buffer. Summed up once an append: they are asked for several times for each. */
  #bufferedBytes = 0;
  #heldBytes = 0;
  /** Of the row groups' metadata. */
  #metadataBytes: number;

  constructor(schema: Schema, leaves: readonly Leaf[], shared: SharedEncoder, state: PartState) {
    this.#schema = schema;
    this.#leaves = leaves;
    this.#shared = shared;
    this.#state = state;
    this.#metadataBytes = state.rowGroups.reduce((sum, rowGroup) => sum + rowGroup.length, 0);
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    const buffer = this.#shared.buffers.withRoomFor(this.#open(), to - from);
    this.#buffer = buffer;
    buffer.append(batch, rows, from, to);
    this.#count(buffer);
  }

  #count(buffer: RowBuffer): void {
    this.#bufferedBytes = bufferedBytes(buffer);
    this.#heldBytes = heldBytes(buffer);
  }

  get bufferedRows(): number {
    return this.#buffer?.length ?? 0;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get memoryBytes(): number {
    return this.#heldBytes + this.#metadataBytes;
  }

  get estimatedBytes(): number {
    return this.bufferedRows === 0 ? 0 : this.#shared.sizes.estimate(this.#bufferedBytes);
  }

  flush(): Uint8Array {
    this.#requireOpen();
    const out = new ByteBuffer(this.#room, this.#shared.flushed);
    this.#flushInto(out);
    return this.#lend(out);
  }

  finish(): Uint8Array {
    this.#requireOpen();
    const out = new ByteBuffer(this.#room + 256 * (this.#leaves.length + 1), this.#shared.flushed);
    this.#flushInto(out);
    if (this.#state.offset === 0) out.push(MAGIC);
    const { rows, rowGroups } = this.#state;
    this.#shared.engine.pushFooter(out, this.#schema, this.#leaves, rows, rowGroups);
    this.#isFinished = true;
    return this.#lend(out);
  }

  /** For what is buffered: a group that takes a bit more than the ones before would double its buffer. */
  get #room(): number {
    return Math.ceil(this.estimatedBytes * 1.125);
  }

  /** Until the format is told that it is written. */
  #lend(out: ByteBuffer): Uint8Array {
    const bytes = out.view();
    this.#shared.flushed.lend(bytes);
    return bytes;
  }

  footer(): unknown {
    return encodePartState(this.#schema, this.#state);
  }

  saveRows(fromRow: number): Uint8Array {
    return saveRows(this.#open(), fromRow);
  }

  restoreRows(saved: Uint8Array): void {
    const buffer = this.#open();
    restoreRows(buffer, saved);
    this.#count(buffer);
  }

  #flushInto(out: ByteBuffer): void {
    const buffer = this.#buffer;
    if (buffer === null || buffer.length === 0) return;
    const { offset, rows, rowGroups } = this.#state;
    if (offset === 0) out.push(MAGIC);
    const rowGroup = this.#shared.engine.encodeRowGroup(buffer, this.#leaves, out, offset);
    this.#shared.sizes.learn(this.#bufferedBytes, out.length);
    this.#metadataBytes += rowGroup.length;
    this.#state = {
      offset: offset + out.length,
      rows: rows + buffer.length,
      rowGroups: [...rowGroups, rowGroup],
    };
    this.#buffer = null;
    this.#bufferedBytes = 0;
    this.#heldBytes = 0;
    this.#shared.buffers.give(buffer);
  }

  #open(): RowBuffer {
    this.#requireOpen();
    this.#buffer ??= this.#shared.buffers.take(this.#schema);
    return this.#buffer;
  }

  #requireOpen(): void {
    if (this.#isFinished) throw new SluiceError('STEP_ILLEGAL', 'the Parquet part is finished');
  }
}
