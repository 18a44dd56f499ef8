/**
 * Avro object container files as an output format. A part is a header and blocks; a block is what was buffered when the
 * part was flushed, so a part grows over checkpoints and processes as Parquet's row groups do.
 */
import type { Batch } from '../../lib/core/batch.ts';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkFormat, BulkWriter } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { type Ids, randomIds } from '../../lib/core/ids.ts';
import { RowBytes } from '../../lib/core/row-bytes.ts';
import { schemaFingerprint } from '../../lib/core/schema-fingerprint.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { type StageClock, UNTIMED } from '../../lib/core/stage-clock.ts';
import { avroSchemaOf } from './avro-schema.ts';
import { type BlockCompressor, loadBlockCompressor } from './block-codec.ts';
import { MAGIC, SYNC_BYTES } from './file-header.ts';
import { fieldWriter, pushCount, type WriteField } from './value-writers.ts';

export type AvroSpec = Extract<OutputFormatSpec, { type: 'avro' }>;

/** What the parts of a format share. */
interface Shared {
  readonly schema: Schema;
  readonly schemaJson: string;
  readonly fields: readonly { readonly name: string; readonly write: WriteField }[];
  readonly compressor: BlockCompressor;
  /** Compressed bytes for each byte, as seen last. */
  readonly ratio: { value: number };
}

/** A part's own, as a checkpoint keeps it. */
interface PartState {
  readonly sync: Uint8Array;
  /** Whether the header is in the part. */
  readonly isStarted: boolean;
}

const VERSION = 1;
/** What text and numbers usually come to. */
const FIRST_RATIO = 0.4;

/** @param ids for sync markers: bytes that no data is likely to hold */
export async function avroFormat(
  spec: AvroSpec,
  stages: StageClock = UNTIMED,
  ids: Ids = randomIds,
): Promise<BulkFormat> {
  const { name, compress } = await loadBlockCompressor(spec.compression, spec.level ?? undefined);
  const compressor: BlockCompressor = {
    name,
    compress(block) {
      const before = stages.enter('compress');
      const compressed = compress(block);
      stages.enter(before);
      return compressed;
    },
  };
  const shared = new WeakMap<Schema, Shared>();
  return {
    type: 'avro',
    extension: '.avro',
    createWriter(schema, footer) {
      let own = shared.get(schema);
      if (own === undefined) {
        own = {
          schema,
          schemaJson: avroSchemaOf(schema),
          fields: schema.fields.map((field) => ({ name: field.name, write: fieldWriter(field) })),
          compressor,
          ratio: { value: spec.compression === 'none' ? 1 : FIRST_RATIO },
        };
        shared.set(schema, own);
      }
      const state =
        footer === null
          ? { sync: Buffer.from(ids.hex(SYNC_BYTES), 'hex'), isStarted: false }
          : decodeState(schema, footer);
      return new AvroWriter(own, state);
    },
  };
}

class AvroWriter implements BulkWriter {
  readonly #shared: Shared;
  readonly #rows = new RowBytes();
  #state: PartState;

  constructor(shared: Shared, state: PartState) {
    this.#shared = shared;
    this.#state = state;
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    const { fields } = this.#shared;
    const { buffer } = this.#rows;
    const columns = fields.map(({ name }) => batch.column(name));
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      for (let k = 0; k < fields.length; k++) fields[k]!.write(buffer, columns[k]!, row);
    }
    this.#rows.rows += to - from;
  }

  get bufferedRows(): number {
    return this.#rows.rows;
  }

  get bufferedBytes(): number {
    return this.#rows.buffer.length;
  }

  get memoryBytes(): number {
    return this.#rows.buffer.memoryBytes;
  }

  get estimatedBytes(): number {
    return Math.ceil(this.#rows.buffer.length * this.#shared.ratio.value);
  }

  flush(): Uint8Array {
    return this.#rows.rows === 0 ? new Uint8Array(0) : this.#take();
  }

  /** A part without rows is a header: a valid file. */
  finish(): Uint8Array {
    return this.#rows.rows === 0 && this.#state.isStarted ? new Uint8Array(0) : this.#take();
  }

  footer(): unknown {
    const { sync, isStarted } = this.#state;
    return {
      version: VERSION,
      schema: schemaFingerprint(this.#shared.schema),
      sync: Buffer.from(sync).toString('base64'),
      started: isStarted,
    };
  }

  saveRows(fromRow: number): Uint8Array {
    return this.#rows.save(fromRow);
  }

  restoreRows(saved: Uint8Array): void {
    this.#rows.restore(saved);
  }

  /** The header where it is due, and what is buffered as a block. */
  #take(): Uint8Array {
    const { compressor, ratio, schemaJson } = this.#shared;
    const { buffer, rows } = this.#rows;
    const out = new ByteBuffer(this.estimatedBytes + schemaJson.length + 256);
    const { sync, isStarted } = this.#state;
    if (!isStarted) pushHeader(out, schemaJson, compressor.name, sync);
    if (rows > 0) {
      const block = compressor.compress(buffer);
      ratio.value = block.length / Math.max(1, buffer.length);
      pushCount(out, rows);
      pushCount(out, block.length);
      out.push(block);
      out.push(sync);
    }
    this.#state = { sync, isStarted: true };
    this.#rows.clear();
    return out.view();
  }
}

function pushHeader(out: ByteBuffer, schema: string, codec: string, sync: Uint8Array): void {
  out.push(MAGIC);
  pushCount(out, 2);
  for (const [key, value] of [
    ['avro.schema', schema],
    ['avro.codec', codec],
  ] as const) {
    for (const text of [key, value]) {
      const bytes = Buffer.from(text);
      pushCount(out, bytes.length);
      out.push(bytes);
    }
  }
  out.pushByte(0);
  out.push(sync);
}

function decodeState(schema: Schema, stored: unknown): PartState {
  const { version, schema: fingerprint, sync, started } = { ...(stored as Record<string, unknown>) };
  if (version !== VERSION) {
    throw new SluiceError(
      'STATE_VERSION',
      `an open Avro part is of version ${version}, this program knows ${VERSION}`,
      {
        hint: 'run the version of sluice that wrote the checkpoint, or a newer one',
      },
    );
  }
  const marker = typeof sync === 'string' ? Buffer.from(sync, 'base64') : Buffer.alloc(0);
  if (
    marker.length !== SYNC_BYTES ||
    typeof started !== 'boolean' ||
    fingerprint !== schemaFingerprint(schema)
  ) {
    throw new SluiceError('STATE_CORRUPT', 'the state of an open Avro part cannot be read');
  }
  return { sync: marker, isStarted: started };
}
