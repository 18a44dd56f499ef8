/** Buckets by the values of columns, as Hive names them: `country=DE/dt=2026-11-23`. */
import type { Batch } from '../lib/core/batch.ts';
import type { BucketAssigner, BucketVector } from '../lib/core/bucket-assigner.ts';
import type { Schema } from '../lib/core/data-type.ts';
import { SluiceError } from '../lib/core/errors.ts';
import type { PartitionField } from '../lib/core/specs.ts';
import { BucketIds, MAX_REMEMBERED } from './bucket-ids.ts';
import { confine } from './confine.ts';
import { createValueCoder } from './create-value-coder.ts';
import { partitionSegment } from './hive-escape.ts';
import { PartitionValues } from './partition-values.ts';
import type { ValueCoder } from './value-coder.ts';

/** A level holds fewer values than this: MAX_REMEMBERED, and what one batch may add before it is looked at again. */
const LEVEL_RANGE = 2 ** 26;

export interface FieldsAssignerOptions {
  /** The levels, outermost first. */
  readonly fields: readonly PartitionField[];
  /** Whether columns that stand in the folder's name as they are stay in the part files too. Default: no. */
  readonly keepFields?: boolean;
}

/**
 * Values are spelled as Hive does: `"#%'*\/:=?[\]^{` and control characters as `%` and two hex digits, all else as raw
 * UTF-8; null and '' as `__HIVE_DEFAULT_PARTITION__`. Floats are written as in JSON, timestamps as
 * `2026-11-22 13:14:15.5` (UTC). Only columns with the transform `value` are left out of the part files: of the others
 * the folder's name does not hold the whole value.
 * @throws SluiceError JOB_INVALID where a column is missing or cannot name folders
 */
export function fieldsAssigner(schema: Schema, options: FieldsAssignerOptions): BucketAssigner {
  const { fields, keepFields = false } = options;
  if (fields.length === 0) throw new SluiceError('JOB_INVALID', 'bucket.fields names no field');
  return new FieldsAssigner(schema, fields, keepFields);
}

interface Level {
  readonly column: string;
  readonly values: PartitionValues;
  readonly coder: ValueCoder;
  /** For each row of the batch its index in `values`. */
  indexes: Int32Array;
}

class FieldsAssigner implements BucketAssigner {
  readonly partitionColumns: readonly string[];
  readonly #levels: readonly Level[];
  readonly #ids = new BucketIds();
  #generation = 0;
  /** Folder of the levels so far and value of the next one -> folder with it, for each level but the last. */
  #folders: Map<number, number>[] = [];
  /** The same for the whole path -> index in #ids. */
  #leaves = new Map<number, number>();
  #folderCount = 0;

  constructor(schema: Schema, fields: readonly PartitionField[], keepFields: boolean) {
    this.#levels = fields.map((field) => createLevel(schema, field));
    const names = fields.map((field) => field.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new SluiceError('JOB_INVALID', `bucket.fields names '${twice}' twice`);
    this.partitionColumns = keepFields
      ? []
      : [...new Set(fields.filter((field) => field.transform === 'value').map((field) => field.column))];
    this.#forget();
  }

  assign(batch: Batch): BucketVector {
    const ids = this.#ids;
    ids.begin(batch.length);
    if (ids.generation !== this.#generation || this.#overfull()) this.#forget();
    for (const level of this.#levels) {
      if (level.indexes.length < batch.length) level.indexes = new Int32Array(batch.length);
      level.coder.code(batch.column(level.column), batch.length, level.indexes);
    }
    const { codes } = ids;
    for (let row = 0; row < batch.length; row++) {
      codes[row] = row > 0 && this.#sameAsBefore(row) ? codes[row - 1]! : ids.code(this.#leaf(row));
    }
    return ids.vector();
  }

  #sameAsBefore(row: number): boolean {
    for (const { indexes } of this.#levels) if (indexes[row] !== indexes[row - 1]) return false;
    return true;
  }

  /** The index in #ids of a row's bucket. */
  #leaf(row: number): number {
    const levels = this.#levels;
    const last = levels.length - 1;
    let folder = 0;
    for (let i = 0; i < last; i++) {
      const folders = this.#folders[i]!;
      const key = folder * LEVEL_RANGE + levels[i]!.indexes[row]!;
      const known = folders.get(key);
      if (known === undefined) {
        folder = this.#folderCount++;
        folders.set(key, folder);
      } else folder = known;
    }
    const key = folder * LEVEL_RANGE + levels[last]!.indexes[row]!;
    let leaf = this.#leaves.get(key);
    if (leaf === undefined) {
      leaf = this.#ids.index(levels.map(({ values, indexes }) => values.segments[indexes[row]!]!).join('/'));
      this.#leaves.set(key, leaf);
    }
    return leaf;
  }

  #overfull(): boolean {
    return (
      this.#leaves.size > MAX_REMEMBERED ||
      this.#levels.some(({ values }) => values.segments.length > MAX_REMEMBERED)
    );
  }

  #forget(): void {
    this.#generation = this.#ids.generation;
    this.#folders = this.#levels.slice(1).map(() => new Map());
    this.#leaves = new Map();
    this.#folderCount = 0;
    for (const { values, coder } of this.#levels) {
      values.forget();
      coder.forget();
    }
  }
}

function createLevel(schema: Schema, field: PartitionField): Level {
  const found = schema.fields.find((candidate) => candidate.name === field.column);
  if (found === undefined) {
    throw new SluiceError(
      'JOB_INVALID',
      `bucket.fields needs the column '${field.column}', which there is not`,
      {
        hint: `columns are ${schema.fields.map((candidate) => candidate.name).join(', ')}`,
      },
    );
  }
  try {
    confine(partitionSegment(field.name, null));
  } catch (cause) {
    throw new SluiceError('JOB_INVALID', `'${field.name}' cannot be the key of a partition folder`, {
      cause,
    });
  }
  const values = new PartitionValues(field.name);
  const coder = createValueCoder(field, found.type, values);
  return { column: field.column, values, coder, indexes: new Int32Array(0) };
}
