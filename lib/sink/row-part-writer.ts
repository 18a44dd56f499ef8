/**
 * Row formats as parts: encoded rows are buffered, and each flush writes them as they are or as one compression member
 * (members one after the other are a valid gzip or zstd file, so a part can be continued at any flush).
 */
import type { Batch } from '../core/batch.ts';
import type { Schema } from '../core/data-type.ts';
import type { BulkFormat, BulkWriter, RowEncoder, RowFormat } from '../core/encoder.ts';
import { FlushMemory } from '../core/flush-memory.ts';
import { RowBytes } from '../core/row-bytes.ts';
import { type StageClock, UNTIMED } from '../core/stage-clock.ts';

/** What the sink needs of a compression; formats/compression has them. */
export interface MemberCompressor {
  readonly extension: string;
  /** One complete member. With no compression, the bytes themselves. */
  compress(bytes: Uint8Array): Uint8Array;
}

/** Buffered bytes at which a part is written out: a large enough write, and a fair gzip member. */
export const ROW_FLUSH_BYTES = 512 * 1024;
/** Output per input byte before anything was compressed: what text usually comes to. */
const FIRST_RATIO = 0.25;
const NOTHING = new Uint8Array(0);

export interface RowPartOptions {
  readonly stages?: StageClock;
  /** Budget of what uses the format; a share of it may wait for reuse. */
  readonly memoryBytes?: number;
}

/** A row format in the shape in which the sink drives all formats. */
export function rowPartFormat(
  format: RowFormat,
  compressor: MemberCompressor,
  schema: Schema,
  { stages = UNTIMED, memoryBytes }: RowPartOptions = {},
): BulkFormat {
  const encoder = format.createEncoder(schema);
  const ratio = { value: compressor.extension === '' ? 1 : FIRST_RATIO };
  const timed = {
    extension: compressor.extension,
    compress(bytes: Uint8Array): Uint8Array {
      const before = stages.enter('compress');
      const member = compressor.compress(bytes);
      stages.enter(before);
      return member;
    },
  };
  const memory = new FlushMemory(memoryBytes);
  return {
    type: format.type,
    extension: encoder.extension + compressor.extension,
    createWriter: (_schema, footer) => new RowPartWriter(encoder, timed, ratio, memory, footer !== null),
    recycle: (bytes) => memory.giveBack(bytes),
  };
}

class RowPartWriter implements BulkWriter {
  readonly #encoder: RowEncoder;
  readonly #compressor: MemberCompressor;
  /** Shared by the parts of a format: output per input byte, as seen last. */
  readonly #ratio: { value: number };
  readonly #memory: FlushMemory;
  /** Null until there are rows for it. */
  #waiting: RowBytes | null = null;
  /** What it begins with: once a part was flushed, room for as much again. */
  #capacity: number | undefined;
  /** Whether the part has its header, in the file or in the buffer. */
  #started: boolean;

  constructor(
    encoder: RowEncoder,
    compressor: MemberCompressor,
    ratio: { value: number },
    memory: FlushMemory,
    started: boolean,
  ) {
    this.#encoder = encoder;
    this.#compressor = compressor;
    this.#ratio = ratio;
    this.#memory = memory;
    this.#started = started;
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    const waiting = this.#open();
    if (!this.#started && this.#encoder.header !== null) waiting.buffer.push(this.#encoder.header);
    this.#started = true;
    this.#encoder.encode(batch, rows, from, to, waiting.buffer);
    waiting.rows += to - from;
  }

  #open(): RowBytes {
    this.#waiting ??= new RowBytes(this.#capacity, this.#memory);
    return this.#waiting;
  }

  get bufferedRows(): number {
    return this.#waiting?.rows ?? 0;
  }

  get bufferedBytes(): number {
    return this.#waiting?.buffer.length ?? 0;
  }

  get memoryBytes(): number {
    return this.#waiting?.buffer.memoryBytes ?? 0;
  }

  get estimatedBytes(): number {
    return Math.ceil(this.bufferedBytes * this.#ratio.value);
  }

  flush(): Uint8Array {
    if (this.#waiting === null || this.bufferedBytes === 0) return NOTHING;
    const bytes = this.#waiting.buffer.view();
    const member = this.#compressor.compress(bytes);
    this.#ratio.value = member.length / bytes.length;
    if (member.buffer === bytes.buffer) this.#memory.lend(bytes);
    else this.#memory.give(bytes);
    // Without compression the buffer itself goes to the disk, so a new one is needed while it does. Growing one from the
    // start again would copy every byte twice.
    this.#capacity = bytes.length + (bytes.length >> 3);
    this.#waiting = null;
    return member;
  }

  finish(): Uint8Array {
    return this.flush();
  }

  footer(): unknown {
    return this.#started ? {} : null;
  }

  saveRows(fromRow: number): Uint8Array {
    return this.#open().save(fromRow);
  }

  restoreRows(saved: Uint8Array): void {
    this.#open().restore(saved);
    this.#started = true;
  }
}
