/** Runs assigners in tests. */
import { Batch } from '../../../lib/core/batch.ts';
import type { BucketAssigner, BucketContext } from '../../../lib/core/bucket-assigner.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { columnsOf } from '../../../lib/core/values.ts';

export function schemaOf(types: Readonly<Record<string, string>>): Schema {
  return {
    fields: Object.entries(types).map(([name, type]) => ({
      name,
      type: parseDataType(type),
      nullable: true,
    })),
  };
}

export function batchOf(
  types: Readonly<Record<string, string>>,
  records: readonly Readonly<Record<string, unknown>>[],
): Batch {
  const schema = schemaOf(types);
  return new Batch(schema, columnsOf(schema, records), records.length);
}

export function contextOf(context: Partial<BucketContext> = {}): BucketContext {
  return { processingTimeMs: 0, watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs: null, ...context };
}

/** The bucket of each row; checks what every vector has to keep to. */
export function bucketsOf(
  assigner: BucketAssigner,
  batch: Batch,
  context: Partial<BucketContext> = {},
): string[] {
  const { codes, ids } = assigner.assign(batch, contextOf(context));
  const used = [...codes.subarray(0, batch.length)];
  if (new Set(ids).size !== ids.length) throw new Error(`an id stands twice: ${ids.join(' ')}`);
  if (new Set(used).size !== ids.length) throw new Error('an id has no row');
  return used.map((code) => {
    const id = ids[code];
    if (id === undefined) throw new Error(`code ${code} has no id`);
    return id;
  });
}

/** A batch of rows without columns, and their event times. */
export function eventTimes(...instants: readonly (string | number | null)[]): {
  batch: Batch;
  context: Partial<BucketContext>;
} {
  const timestampsMs = Float64Array.from(instants, (instant) => {
    if (instant === null) return Number.NaN;
    return typeof instant === 'number' ? instant : Date.parse(instant);
  });
  return { batch: Batch.ofObjects(instants.map(() => null)), context: { timestampsMs } };
}
