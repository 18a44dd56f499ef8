/** The Parquet output format. */
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkFormat, BulkWriter } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { FlushMemory } from '../../lib/core/flush-memory.ts';
import { MEMORY_SHARES } from '../../lib/core/memory-shares.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { type StageClock, UNTIMED } from '../../lib/core/stage-clock.ts';
import { loadCodec, timedCodec } from './codec.ts';
import { type ParquetEngine, sluiceEngine } from './engine.ts';
import { decodePartState, NEW_PART } from './part-state.ts';
import { RowBufferPool } from './row-buffer-pool.ts';
import type { RowGroupChoices } from './row-group.ts';
import { type Leaf, leavesOf } from './schema.ts';
import { SizeEstimator } from './size-estimator.ts';
import { ParquetWriter, type SharedEncoder } from './writer.ts';

export type ParquetSpec = OutputFormatSpec & { readonly type: 'parquet' };

/** The budget where nobody gives one. */
const DEFAULT_MEMORY_BYTES = 256 << 20;

/** The format that a job file asks for. @throws SluiceError JOB_INVALID where engine and compression do not go together */
export async function parquetFormat(
  spec: ParquetSpec,
  stages: StageClock = UNTIMED,
  memoryBytes: number = DEFAULT_MEMORY_BYTES,
): Promise<BulkFormat> {
  return new ParquetFormat(spec, {
    engine: await loadEngine(spec, stages),
    buffers: new RowBufferPool(memoryBytes * MEMORY_SHARES.idle),
    sizes: new SizeEstimator(spec.compression),
    flushed: new FlushMemory(memoryBytes),
  });
}

async function loadEngine(spec: ParquetSpec, stages: StageClock): Promise<ParquetEngine> {
  if (spec.engine === 'sluice') {
    const codec = timedCodec(await loadCodec(spec.compression, spec.level), stages);
    return sluiceEngine(codec, spec.pageBytes, choicesOf(spec));
  }
  if (spec.compression === 'zstd') {
    throw new SluiceError('JOB_INVALID', 'engine parquetjs does not write zstd', {
      hint: 'use compression none, gzip or snappy, or engine: sluice',
    });
  }
  // Loaded only where it is asked for: nobody else should pay for it at start.
  const { ParquetJsEngine } = await import('./parquetjs-engine.ts');
  return new ParquetJsEngine(spec.compression);
}

/** Columns are named by their top level: what is chosen for a struct or a list is chosen for all of it. */
function choicesOf({ dictionary = true, bloomFilter = [], sortBy = [] }: ParquetSpec): RowGroupChoices {
  const dictionaries = typeof dictionary === 'boolean' ? null : new Set(dictionary);
  const filters = new Set(bloomFilter);
  return {
    hasDictionary: ({ path }) => dictionaries?.has(path[0]!) ?? dictionary !== false,
    hasBloomFilter: ({ path }) => filters.has(path[0]!),
    sortBy,
  };
}

/** @throws SluiceError JOB_INVALID where a column that is named is not there, or has no order */
function checkChoices(schema: Schema, { dictionary, bloomFilter = [], sortBy = [] }: ParquetSpec): void {
  const named = [...(typeof dictionary === 'object' ? dictionary : []), ...bloomFilter, ...sortBy];
  for (const name of named) {
    const field = schema.fields.find((each) => each.name === name);
    const why =
      field === undefined
        ? `the part files have no column '${name}'`
        : sortBy.includes(name) && (field.type.kind === 'list' || field.type.kind === 'struct')
          ? `rows cannot be sorted by the ${field.type.kind} '${name}'`
          : null;
    if (why === null) continue;
    throw new SluiceError('JOB_INVALID', `sink.format: ${why}`, {
      hint: `they have ${schema.fields.map((each) => each.name).join(', ')}; those of the folder names are not repeated in the parts`,
    });
  }
}

class ParquetFormat implements BulkFormat {
  readonly type = 'parquet';
  readonly extension = '.parquet';
  readonly #shared: SharedEncoder;
  readonly #leaves = new WeakMap<Schema, readonly Leaf[]>();

  readonly #spec: ParquetSpec;

  constructor(spec: ParquetSpec, shared: SharedEncoder) {
    this.#spec = spec;
    this.#shared = shared;
  }

  /** @throws SluiceError JOB_INVALID where the schema has no Parquet form · STATE_CORRUPT, STATE_VERSION for the footer */
  createWriter(schema: Schema, footer: unknown): BulkWriter {
    let leaves = this.#leaves.get(schema);
    if (leaves === undefined) {
      leaves = leavesOf(schema);
      checkChoices(schema, this.#spec);
      this.#shared.engine.checkSchema(schema);
      this.#leaves.set(schema, leaves);
    }
    const state = footer === null ? NEW_PART : decodePartState(schema, footer);
    return new ParquetWriter(schema, leaves, this.#shared, state);
  }

  recycle(bytes: Uint8Array): void {
    this.#shared.flushed.giveBack(bytes);
  }
}
