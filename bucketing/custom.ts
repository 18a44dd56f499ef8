/** Bucket assigners written by users, in the vector form or row by row. */
import type { Batch } from '../lib/core/batch.ts';
import type { BucketAssigner, BucketContext, BucketVector, RowContext } from '../lib/core/bucket-assigner.ts';
import { SluiceError } from '../lib/core/errors.ts';
import { createExtension, hasMethod } from '../lib/core/extension-module.ts';
import { BucketIds } from './bucket-ids.ts';
import { confine } from './confine.ts';

/** Flink's form of an assigner: one row at a time. */
export interface RowBucketAssigner<Row = unknown> {
  /**
   * The folder of a row, relative to the sink's path; '' is the path itself. Numbers and bigints become their text.
   * Must depend on nothing but its arguments, or rows read again after a crash may land elsewhere.
   */
  getBucketId(record: Row, context: RowContext): string | number | bigint;
  /** Columns whose values stand in the folder's name and so are left out of the part files. */
  readonly partitionColumns?: readonly string[];
}

/** Makes a vector assigner of one that works row by row. Slow: an object a row. */
export function rowBucketAssigner<Row = unknown>(assigner: RowBucketAssigner<Row>): BucketAssigner {
  const ids = new BucketIds();
  return {
    partitionColumns: assigner.partitionColumns ?? [],
    assign(batch: Batch, context: BucketContext): BucketVector {
      ids.begin(batch.length);
      for (let row = 0; row < batch.length; row++) {
        ids.codes[row] = ids.code(ids.index(bucketOfRow(assigner, batch, row, context)));
      }
      return ids.vector();
    },
  };
}

function bucketOfRow<Row>(
  assigner: RowBucketAssigner<Row>,
  batch: Batch,
  row: number,
  context: BucketContext,
): string {
  const timestamp = context.timestampsMs === null ? Number.NaN : context.timestampsMs[row]!;
  const rowContext: RowContext = {
    processingTimeMs: context.processingTimeMs,
    watermarkMs: context.watermarkMs,
    timestampMs: Number.isNaN(timestamp) ? null : timestamp,
  };
  let id: unknown;
  try {
    // What its rows are is the assigner's own statement.
    id = assigner.getBucketId(batch.record(row) as Row, rowContext);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('BAD_RECORD', `the bucket assigner failed on a record: ${why}`, {
      cause,
      details: { row },
    });
  }
  if (typeof id === 'string') return id;
  if (typeof id === 'number' || typeof id === 'bigint') return String(id);
  throw new SluiceError('JOB_INVALID', `getBucketId gave a value of type ${typeof id}, not a string`, {
    details: { row },
    hint: "return the folder of the row as a string, '' for the base path",
  });
}

/** Checks what a user's vector assigner answers, so that a slip there does not become a row in a wrong folder. */
export function checkedAssigner(assigner: BucketAssigner): BucketAssigner {
  return {
    partitionColumns: assigner.partitionColumns ?? [],
    assign(batch: Batch, context: BucketContext): BucketVector {
      const vector = assigner.assign(batch, context);
      const { codes, ids } = vector;
      if (!(codes instanceof Int32Array) || codes.length < batch.length || !Array.isArray(ids)) {
        throw new SluiceError(
          'JOB_INVALID',
          'the bucket assigner did not answer {codes: Int32Array, ids: string[]}',
          {
            hint: 'codes needs one entry a row',
          },
        );
      }
      for (const id of ids) {
        if (typeof id !== 'string') {
          throw new SluiceError('JOB_INVALID', `the bucket assigner gave an id of type ${typeof id}`);
        }
        confine(id);
      }
      if (new Set(ids).size !== ids.length) {
        throw new SluiceError('JOB_INVALID', 'the bucket assigner gave the same id under two codes');
      }
      for (let row = 0; row < batch.length; row++) {
        const code = codes[row]!;
        if (code < 0 || code >= ids.length) {
          throw new SluiceError(
            'JOB_INVALID',
            `the bucket assigner gave row ${row} the code ${code} of ${ids.length}`,
          );
        }
      }
      return vector;
    },
  };
}

/**
 * Loads `{ type: custom, module, options }`: the module exports `createBucketAssigner(options)`, which gives a
 * BucketAssigner or a {@link RowBucketAssigner} (or a promise of one), or such an object itself.
 * @param module absolute path
 * @throws SluiceError JOB_INVALID
 */
export async function loadBucketAssigner(module: string, options: unknown): Promise<BucketAssigner> {
  const assigner = await createExtension(module, 'createBucketAssigner', options);
  if (hasMethod(assigner, 'assign')) return checkedAssigner(assigner as BucketAssigner);
  if (hasMethod(assigner, 'getBucketId')) return rowBucketAssigner(assigner as RowBucketAssigner);
  throw new SluiceError('JOB_INVALID', `${module} gives no bucket assigner`, {
    details: { module },
    hint: 'an assigner has a method assign(batch, context), or getBucketId(record, context)',
  });
}
