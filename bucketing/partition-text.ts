/** Values of partition columns as text, before escaping. */
import { SluiceError } from '../lib/core/errors.ts';
import type { PartitionField } from '../lib/core/specs.ts';

export const MS_PER_DAY = 86_400_000;
const MAX_INSTANT_MS = 8.64e15;

/** The part of an instant that the transform asks for, UTC: 2026-11-23, 07, 2026-11 or 2026. */
export function datePart(instantMs: number, field: PartitionField): string {
  if (!(Math.abs(instantMs) <= MAX_INSTANT_MS)) {
    throw new SluiceError('BAD_RECORD', `column '${field.column}' holds a time that has no date`, {
      details: { column: field.column, value: instantMs },
    });
  }
  const [date = '', time = ''] = new Date(instantMs).toISOString().split('T');
  switch (field.transform) {
    case 'hour':
      return time.slice(0, 2);
    case 'month':
      return date.slice(0, -3);
    case 'year':
      return date.slice(0, -6);
    default:
      return date;
  }
}

/** `2026-11-22 13:14:15.5`, as Hive prints timestamps: no zeros at the end of the fraction. */
export function timestampText(value: bigint, unit: 'ms' | 'us', field: PartitionField): string {
  const perSecond = unit === 'ms' ? 1000n : 1_000_000n;
  const rest = ((value % perSecond) + perSecond) % perSecond;
  const secondMs = Number(((value - rest) / perSecond) * 1000n);
  const date = datePart(secondMs, { ...field, transform: 'date' });
  const time = new Date(secondMs).toISOString().split('T')[1]!.slice(0, 8);
  const fraction = String(rest)
    .padStart(unit === 'ms' ? 3 : 6, '0')
    .replace(/0+$/, '');
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The shortest decimal that rounds to the same 32-bit float. */
export function float32Text(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}
