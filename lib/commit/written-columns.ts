/**
 * The columns of a job's rows as they are written, and how they came to be. Where rows are written as they are read this is
 * the source's schema, and nothing of its own is kept. Otherwise it is a history of its own: steps and lineage columns
 * change with the job file, at any start, which the schema of the source does not tell.
 */
import type { Schema } from '../core/data-type.ts';
import { type SchemaVersion, writtenChanges } from '../core/schema-change.ts';
import { schemaFingerprint } from '../core/schema-fingerprint.ts';

/** Steps kept, the first one and the newest: it tells what was asked for. */
const MAX_HISTORY = 500;

/** A schema and how it came to be, oldest step first. */
export interface SchemaState {
  readonly schema: Schema;
  readonly history: readonly SchemaVersion[];
}

/** What a new step says besides its changes. */
export type SchemaCause = Pick<SchemaVersion, 'checkpoint' | 'createdMs' | 'cause'>;

/**
 * @param before as the last checkpoint has them; null: rows were written as they were read, or nothing was
 * @param source as it was before, for a job whose rows are changed from now on; null: the job begins
 * @param rows the columns that are written now
 * @returns `before` where nothing has changed
 */
export function followColumns(
  before: SchemaState | null,
  source: SchemaState | null,
  rows: Schema,
  cause: SchemaCause,
): SchemaState {
  const from = before ?? source ?? { schema: { fields: [] }, history: [] };
  if (before !== null && schemaFingerprint(before.schema) === schemaFingerprint(rows)) return before;
  const changes = writtenChanges(from.schema, rows);
  // Other places only.
  if (changes.length === 0) return { schema: rows, history: from.history };
  return { schema: rows, history: extendHistory(from.history, { ...cause, changes }) };
}

export function extendHistory(
  history: readonly SchemaVersion[],
  step: Omit<SchemaVersion, 'version'>,
): readonly SchemaVersion[] {
  const all = [...history, { version: (history.at(-1)?.version ?? 0) + 1, ...step }];
  return all.length <= MAX_HISTORY ? all : [all[0]!, ...all.slice(all.length - MAX_HISTORY + 1)];
}
