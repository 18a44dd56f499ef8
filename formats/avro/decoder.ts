/**
 * Avro object container files into columns, block by block. A position is the beginning of a block and how many of its
 * records are taken: a restart reads the block again and passes over them.
 */

import { Batch } from '../../lib/core/batch.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { Decoder, DecoderOptions, DecoderStart, DecoderState } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { createSlot, type Slot } from '../columns/slot.ts';
import { corrupt } from '../corrupt.ts';
import { proveColumns } from '../file-columns.ts';
import { isNullable, parseAvroSchema, topFields } from './avro-type.ts';
import { blockDecompressor, type DecompressBlock } from './block-codec.ts';
import { Cursor } from './cursor.ts';
import { type AvroHeader, readAvroHeader, SYNC_BYTES } from './file-header.ts';
import { type SkipValue, skipperOf } from './skip-value.ts';
import { fieldReaders, Misfit, type ReadValue, UnfitType } from './value-readers.ts';

/** Decompressed bytes of the rows of a batch, after which it is full: wide rows must not take memory by the thousands. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** What was made of a file's header. */
interface OpenFile {
  readonly header: Omit<AvroHeader, 'length'>;
  readonly decompress: DecompressBlock;
  readonly fields: readonly ReadValue[];
  readonly skips: readonly SkipValue[];
}

export class AvroDecoder implements Decoder {
  readonly #options: DecoderOptions;
  readonly #schema: Schema;
  readonly #slots: readonly Slot[];
  readonly #misfit = new Misfit();
  readonly #cursor = new Cursor();
  readonly #header = new Cursor();
  #file: OpenFile | null = null;
  #rows = 0;
  #records = 0;
  #offset = 0;
  /** Records of the block at `#offset` that were consumed. */
  #taken = 0;
  /** Whether the cursor stands in that block, behind these. */
  #isOpen = false;
  #blockRecords = 0;
  /** Bytes of the file that it takes. */
  #blockBytes = 0;
  #batchBytes = 0;
  #isTaken = false;
  #ended = false;

  constructor(options: DecoderOptions) {
    this.#options = options;
    const { schema, columns, batchRows } = options;
    this.#schema =
      columns === undefined ? schema : { fields: schema.fields.filter((field) => columns.has(field.name)) };
    this.#slots = this.#schema.fields.map((field) => createSlot(field.type, batchRows));
  }

  begin({ offset, state }: DecoderStart): void {
    this.#offset = offset;
    this.#records = 0;
    this.#isOpen = false;
    this.#taken = typeof state?.taken === 'number' ? state.taken : 0;
    this.#file = state === null ? null : this.#open(headerOf(state));
    this.#startBatch();
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    if (this.full) return from;
    if (this.#isTaken) this.#startBatch();
    let at = from;
    if (this.#file === null) {
      const header = readAvroHeader(bytes, at, to, last);
      if (header === null) return at;
      this.#file = this.#open(header);
      at += header.length;
      this.#offset += header.length;
    }
    while (!this.full) {
      if (!this.#isOpen && !this.#openBlock(this.#file, bytes, at, to, last)) return at;
      this.#readRecords(this.#file);
      if (this.#taken < this.#blockRecords) return at;
      if (this.#cursor.at !== this.#cursor.end) corrupt('a block has more bytes than its records');
      at += this.#blockBytes;
      this.#offset += this.#blockBytes;
      this.#taken = 0;
      this.#isOpen = false;
    }
    return at;
  }

  get rows(): number {
    return this.#isTaken ? 0 : this.#rows;
  }

  get full(): boolean {
    return !this.#isTaken && this.#rows > 0 && (this.#ended || this.#rows >= this.#options.batchRows);
  }

  take(): Batch {
    const rows = this.rows;
    this.#isTaken = true;
    return new Batch(
      this.#schema,
      this.#slots.map((slot) => slot.finish(rows)),
      rows,
    );
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#records;
  }

  state(): DecoderState {
    const file = this.#file;
    if (file === null) return null;
    const { schema, codec, sync } = file.header;
    return { schema, codec, sync: Buffer.from(sync).toString('base64'), taken: this.#taken };
  }

  /** @throws SluiceError RECORD_TOO_LARGE: a block holds many records, and none of them may be lost */
  skipRecord(): number {
    throw new SluiceError(
      'RECORD_TOO_LARGE',
      `the Avro block at byte ${this.#offset} is larger than max_record_size`,
      {
        hint: 'raise source.max_record_size: a block is read as a whole',
      },
    );
  }

  #startBatch(): void {
    for (const slot of this.#slots) slot.clear();
    this.#rows = 0;
    this.#batchBytes = 0;
    this.#isTaken = false;
    this.#ended = false;
  }

  #open(header: Omit<AvroHeader, 'length'>): OpenFile {
    const type = parseAvroSchema(header.schema);
    const fields = topFields(type);
    proveColumns(
      'the file',
      fields.map(({ name }) => name),
      this.#options.schema,
    );
    try {
      return {
        header,
        decompress: blockDecompressor(header.codec),
        fields: this.#withChecks(
          fieldReaders(fields, this.#schema.fields, this.#slots, '', this.#misfit),
          fields,
        ),
        skips: fields.map((field) => skipperOf(field.type)),
      };
    } catch (error) {
      if (!(error instanceof UnfitType)) throw error;
      throw new SluiceError('BAD_RECORD', error.message, {
        hint: 'declare the type that the file has, or exclude the file',
        cause: error,
      });
    }
  }

  /** Columns that may not be null, of fields that may be. */
  #withChecks(reads: readonly ReadValue[], fields: ReturnType<typeof topFields>): readonly ReadValue[] {
    const strict = this.#schema.fields.flatMap(({ name, nullable }, i) => {
      const field = fields.find((each) => each.name === name);
      return !nullable && field !== undefined && isNullable(field.type)
        ? [{ name, slot: this.#slots[i]! }]
        : [];
    });
    if (strict.length === 0) return reads;
    return [
      ...reads,
      (_, row) => {
        for (const { name, slot } of strict)
          if (slot.column.isNull(row)) this.#misfit.add(name, 'the value is missing and may not be');
      },
    ];
  }

  /** @returns false where the block is not there yet, or none is left */
  #openBlock(file: OpenFile, bytes: Uint8Array, from: number, to: number, last: boolean): boolean {
    if (from === to) return false;
    const cursor = this.#header;
    cursor.reset(bytes, from, to);
    let records: number;
    let size: number;
    try {
      records = cursor.readCount();
      size = cursor.readCount();
    } catch (error) {
      // Some bytes of two integers: there may be more to come.
      if (last || to - from >= 20) throw error;
      return false;
    }
    if (records < 0 || size < 0) corrupt('a block says that it has fewer than no records');
    const end = cursor.at + size;
    if (end + SYNC_BYTES > to) return last ? corrupt('its last block is cut') : false;
    for (let i = 0; i < SYNC_BYTES; i++) {
      if (bytes[end + i] !== file.header.sync[i]) corrupt('a block does not end with the sync marker');
    }
    const block = file.decompress(bytes.subarray(cursor.at, end));
    // Without compression the block is a view of what the caller will fill anew.
    const isView = block.buffer === bytes.buffer;
    this.#cursor.reset(isView ? block.slice() : block, 0, block.length);
    this.#blockRecords = records;
    this.#blockBytes = end + SYNC_BYTES - from;
    this.#isOpen = true;
    if (this.#taken > records) corrupt('a block has fewer records than were taken of it');
    for (let i = 0; i < this.#taken; i++) for (const skip of file.skips) skip(this.#cursor);
    return true;
  }

  #readRecords({ fields }: OpenFile): void {
    const cursor = this.#cursor;
    const misfit = this.#misfit;
    const { batchRows } = this.#options;
    let row = this.#rows;
    try {
      while (this.#taken < this.#blockRecords && row < batchRows && !this.#ended) {
        const start = cursor.at;
        for (const read of fields) read(cursor, row);
        if (misfit.column === null) {
          row++;
          this.#batchBytes += cursor.at - start;
          if (this.#batchBytes >= MAX_BATCH_BYTES) this.#ended = true;
        } else {
          this.#refuse(start);
          for (const slot of this.#slots) slot.rewind(row);
        }
        this.#taken++;
        this.#records++;
      }
    } catch (error) {
      // What was read of a record that is damaged, or that ends the job.
      misfit.clear();
      for (const slot of this.#slots) slot.rewind(row);
      throw error;
    } finally {
      this.#rows = row;
    }
  }

  /** @throws what onBadRecord throws */
  #refuse(start: number): void {
    const { column, reason } = this.#misfit;
    this.#misfit.clear();
    this.#options.onBadRecord({
      offset: this.#offset,
      place: `record ${this.#taken + 1} of the block at byte ${this.#offset}`,
      recordIndex: this.#records,
      column,
      reason,
      bytes: this.#cursor.bytes.subarray(start, this.#cursor.at),
    });
  }
}

/** @throws SluiceError STATE_CORRUPT */
function headerOf(state: Readonly<Record<string, unknown>>): Omit<AvroHeader, 'length'> {
  const { schema, codec, sync } = state;
  if (typeof schema === 'string' && typeof codec === 'string' && typeof sync === 'string')
    return { schema, codec, sync: Buffer.from(sync, 'base64') };
  throw new SluiceError('STATE_CORRUPT', 'the position in an Avro file lacks its header');
}
