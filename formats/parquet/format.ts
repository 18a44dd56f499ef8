/** The Parquet output format. */
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkFormat, BulkWriter } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { type StageClock, UNTIMED } from '../../lib/core/stage-clock.ts';
import { loadCodec, timedCodec } from './codec.ts';
import { type ParquetEngine, sluiceEngine } from './engine.ts';
import { decodePartState, NEW_PART } from './part-state.ts';
import { RowBufferPool } from './row-buffer-pool.ts';
import { type Leaf, leavesOf } from './schema.ts';
import { SizeEstimator } from './size-estimator.ts';
import { ParquetWriter, type SharedEncoder } from './writer.ts';

export type ParquetSpec = OutputFormatSpec & { readonly type: 'parquet' };

/** Memory that waits in pooled row buffers, at the most. */
const MAX_IDLE_BYTES = 64 << 20;

/** The format that a job file asks for. @throws SluiceError JOB_INVALID where engine and compression do not go together */
export async function parquetFormat(spec: ParquetSpec, stages: StageClock = UNTIMED): Promise<BulkFormat> {
  return new ParquetFormat({
    engine: await loadEngine(spec, stages),
    buffers: new RowBufferPool(Math.min(spec.rowGroupBytes, MAX_IDLE_BYTES)),
    sizes: new SizeEstimator(spec.compression),
  });
}

async function loadEngine(spec: ParquetSpec, stages: StageClock): Promise<ParquetEngine> {
  if (spec.engine === 'sluice')
    return sluiceEngine(timedCodec(await loadCodec(spec.compression), stages), spec.pageBytes);
  if (spec.compression === 'zstd') {
    throw new SluiceError('JOB_INVALID', 'engine parquetjs does not write zstd', {
      hint: 'use compression none, gzip or snappy, or engine: sluice',
    });
  }
  // Loaded only where it is asked for: nobody else should pay for it at start.
  const { ParquetJsEngine } = await import('./parquetjs-engine.ts');
  return new ParquetJsEngine(spec.compression);
}

class ParquetFormat implements BulkFormat {
  readonly type = 'parquet';
  readonly extension = '.parquet';
  readonly #shared: SharedEncoder;
  readonly #leaves = new WeakMap<Schema, readonly Leaf[]>();

  constructor(shared: SharedEncoder) {
    this.#shared = shared;
  }

  /** @throws SluiceError JOB_INVALID where the schema has no Parquet form · STATE_CORRUPT, STATE_VERSION for the footer */
  createWriter(schema: Schema, footer: unknown): BulkWriter {
    let leaves = this.#leaves.get(schema);
    if (leaves === undefined) {
      leaves = leavesOf(schema);
      this.#shared.engine.checkSchema(schema);
      this.#leaves.set(schema, leaves);
    }
    const state = footer === null ? NEW_PART : decodePartState(schema, footer);
    return new ParquetWriter(schema, leaves, this.#shared, state);
  }
}
