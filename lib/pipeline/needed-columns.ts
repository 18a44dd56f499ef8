/** Which columns a job has to decode when rows go on as the bytes they came in. */
import type { CompiledJob } from '../core/compiled-job.ts';
import type { LineageName } from '../core/specs.ts';
import { columnsIn } from '../transform/expression/compile.ts';

/** What the reader has to tell of where rows come from. */
export function placesNeeded(lineage: readonly LineageName[]): { readonly lines: boolean } | null {
  return lineage.length === 0 ? null : { lines: lineage.includes('line') };
}

/**
 * The columns that filters, buckets, event time and watermarks look at; undefined where that cannot be told, because code of the
 * job's own may look at any.
 */
export function neededColumns({
  eventTime,
  transform,
  sink,
}: Pick<CompiledJob, 'eventTime' | 'sink' | 'transform'>): ReadonlySet<string> | undefined {
  const { bucket, rolling } = sink;
  if (bucket.type === 'custom' || rolling.type === 'custom') return undefined;
  const columns = new Set<string>();
  for (const step of transform)
    if (step.kind === 'filter') for (const name of columnsIn(step.expression)) columns.add(name);
  for (const step of transform)
    if (step.kind === 'deduplicate') for (const name of step.key) columns.add(name);
  if (eventTime !== null) columns.add(eventTime.column);
  if (bucket.type === 'fields') for (const { column } of bucket.fields) columns.add(column);
  return columns;
}
