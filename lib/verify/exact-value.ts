/**
 * Values of columns as `canonicalText` takes them: those of core/values.ts, but dates and timestamps are microseconds since 1970,
 * since a Date ends at the year 275,760 and columns do not.
 */
import type { Column } from '../core/column.ts';
import { readValue } from '../core/values.ts';

const MICROS_PER_DAY = 86_400_000_000n;
const DAYS_PER_ERA = 146_097;
/** What formats/encoding/time.ts writes, and formats/scalars/timestamp.ts reads. */
const TIME =
  /^([+-]\d{4,9}|\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?)?$/;

/** The value of one row, or null. */
export function exactValue(column: Column, row: number): unknown {
  if (column.isNull(row)) return null;
  switch (column.layout) {
    case 'fixed': {
      const { type } = column;
      if (type.kind === 'date') return BigInt(column.values[row]!) * MICROS_PER_DAY;
      if (type.kind === 'timestamp') return column.getBigInt(row) * (type.unit === 'ms' ? 1000n : 1n);
      return readValue(column, row);
    }
    case 'list': {
      const values: unknown[] = [];
      for (let i = column.offsets[row]!; i < column.offsets[row + 1]!; i++)
        values.push(exactValue(column.child, i));
      return values;
    }
    case 'struct':
      return Object.fromEntries(
        column.fields.map(({ name }, i) => [name, exactValue(column.children[i]!, row)]),
      );
    default:
      return readValue(column, row);
  }
}

/** Microseconds since 1970 of a date or a timestamp in ISO 8601; without a zone it is UTC. null where the text is neither. */
export function microsOf(text: string): bigint | null {
  const match = TIME.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] = match;
  const offset = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  const minutes = Number(hour ?? 0) * 60 + Number(minute ?? 0) - offset;
  const seconds = BigInt(minutes * 60 + Number(second ?? 0));
  const micros = BigInt((fraction ?? '').slice(0, 6).padEnd(6, '0'));
  return (
    BigInt(daysOf(Number(year), Number(month), Number(day))) * MICROS_PER_DAY + seconds * 1_000_000n + micros
  );
}

/** Howard Hinnant's days_from_civil, for any year. */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - 719_468;
}
