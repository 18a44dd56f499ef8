/**
 * Statistics of a part as a Delta log has them, out of the part's own footer. Readers skip files by them, so what is not
 * certain is left out: floats (NaN is greater than all others to some engines and in no bound of ours), whole numbers
 * that JSON parsers round, decimals for the same reason.
 */
import type { ColumnStatistics, FileStatistics } from '../../../formats/parquet/file-statistics.ts';
import type { Schema } from '../../core/data-type.ts';

/** Columns with bounds, the first ones: log entries are read by everybody. Delta's own default. */
const MAX_COLUMNS = 32;

/** @param columns of the files; nested ones are left out */
export function deltaStats({ rows, columns: found }: FileStatistics, columns: Schema): string {
  const minValues: Record<string, string | number> = {};
  const maxValues: Record<string, string | number> = {};
  const nullCount: Record<string, number> = {};
  for (const { name, type } of columns.fields.slice(0, MAX_COLUMNS)) {
    const statistics = found.get(name);
    if (statistics === undefined || type.kind === 'list' || type.kind === 'struct') continue;
    if (statistics.nulls !== null) nullCount[name] = statistics.nulls;
    const bounds = boundsOf(statistics);
    if (bounds === null) continue;
    minValues[name] = bounds[0];
    maxValues[name] = bounds[1];
  }
  return JSON.stringify({ numRecords: rows, minValues, maxValues, nullCount });
}

function boundsOf({ bounds }: ColumnStatistics): readonly [string | number, string | number] | null {
  if (bounds === null) return null;
  switch (bounds.kind) {
    case 'integer':
      return [bounds.min, bounds.max].every((value) => Number.isSafeInteger(Number(value)))
        ? [Number(bounds.min), Number(bounds.max)]
        : null;
    case 'text':
      return [bounds.min, bounds.max];
    case 'date':
      return timesOf(bounds.min * MS_PER_DAY, bounds.max * MS_PER_DAY, (iso) => iso.slice(0, 10));
    case 'timestamp':
      // To the millisecond, away from the values.
      return timesOf(
        Number(floorDivide(bounds.minUs, 1000n)),
        Number(-floorDivide(-bounds.maxUs, 1000n)),
        (iso) => iso,
      );
  }
}

const MS_PER_DAY = 86_400_000;
/** Of years with four digits. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T00:00:00Z');

/** null where a year does not have four digits: readers do not agree on those. */
function timesOf(minMs: number, maxMs: number, form: (iso: string) => string): [string, string] | null {
  const isPlain = (ms: number) => ms >= FIRST_MS && ms < LAST_MS;
  if (!isPlain(minMs) || !isPlain(maxMs)) return null;
  return [form(new Date(minMs).toISOString()), form(new Date(maxMs).toISOString())];
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
