/** Extension point: what becomes of a row, in code of the user's. Flink: MapFunction. */

/**
 * Gives the row to write, or null to leave it out. Values are as `lib/core/values.ts` maps them.
 *
 * Must depend on the row alone, and change nothing but it: rows are read again after a crash, and looked at again by
 * `verify --deep` and where late rows are quarantined. It answers at once: rows cannot wait for a promise.
 */
export type MapFunction<In = Readonly<Record<string, unknown>>, Out = Readonly<Record<string, unknown>>> = (
  row: In,
) => Out | null;
