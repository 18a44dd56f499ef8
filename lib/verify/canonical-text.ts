/**
 * The text of a value that is the same wherever the value is read: in the source as the schema has it, or in a part, which may
 * have an older and narrower type, or a format that cannot tell everything apart.
 */
import type { DataType } from '../core/data-type.ts';
import { microsOf } from './exact-value.ts';

/** What a format does not keep. */
export interface Losses {
  /** Nulls and empty texts read the same. */
  readonly emptyIsNull: boolean;
  /** Line ends within a text are blanks, and how many backslashes stand side by side is not told. */
  readonly hiveText: boolean;
  /** NaN and the infinities are null. */
  readonly notFiniteIsNull: boolean;
}

/**
 * @param value as `exactValue` gives it
 * @param widened whether older parts may have a narrower type than `to`
 * @returns null: no value
 */
export function canonicalText(
  value: unknown,
  from: DataType,
  to: DataType,
  widened: boolean,
  losses: Losses,
): string | null {
  if (value === null || value === undefined) return null;
  if (value === '' && from.kind === 'string' && losses.emptyIsNull) return null;
  switch (to.kind) {
    case 'string': {
      const text = widened ? textOfWidened(value, from) : String(value);
      return losses.hiveText ? text.replaceAll(/[\r\n]/g, ' ').replaceAll(/\\+/g, '\\') : text;
    }
    case 'float32':
      return number(Math.fround(Number(value)), losses);
    case 'float64':
      return number(Number(value), losses);
    case 'decimal':
      return decimal(String(value));
    case 'binary':
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
    case 'json':
      return json(value);
    case 'date':
    case 'timestamp':
      return time(value);
    case 'list': {
      if (!Array.isArray(value)) return json(value);
      const element = from.kind === 'list' ? from.element : to.element;
      return nested(value.map((item) => canonicalText(item, element, to.element, widened, losses)));
    }
    case 'struct': {
      const record = Object(value) as Readonly<Record<string, unknown>>;
      return nested(
        to.fields.map(({ name, type }) => {
          const stored =
            from.kind === 'struct' ? from.fields.find((field) => field.name === name) : undefined;
          return canonicalText(record[name], stored?.type ?? type, type, widened, losses);
        }),
      );
    }
    default:
      return String(value);
  }
}

/** Texts one after the other, so that no two lists of texts read the same. */
export function nested(texts: readonly (string | null)[]): string {
  return texts.map((text) => (text === null ? '-;' : `${text.length}:${text};`)).join('');
}

/** Whether a type holds what a CSV field can only hold as JSON. */
export function isNested({ kind }: DataType): boolean {
  return kind === 'list' || kind === 'struct' || kind === 'json' || kind === 'binary';
}

function number(value: number, losses: Losses): string | null {
  if (losses.notFiniteIsNull && !Number.isFinite(value)) return null;
  return numeral(value);
}

function numeral(value: number): string {
  return Object.is(value, -0) ? '0' : String(value);
}

/** `1.50` and `1.5` are one number. */
function decimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Where a format has no times, they are read as text. */
function time(value: unknown): string {
  return String(typeof value === 'string' ? (microsOf(value) ?? value) : value);
}

/** A column that became text: its values are those that the narrower type had. */
function textOfWidened(value: unknown, from: DataType): string {
  if (from.kind === 'date' || from.kind === 'timestamp') return `@${String(value)}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return numeral(Number(value));
  const asNumber = value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isNaN(asNumber)) return numeral(asNumber);
  // CSV has booleans in any case.
  if (/^(?:true|false)$/i.test(value)) return value.toLowerCase();
  const asTime = microsOf(value);
  return asTime === null ? value : `@${asTime}`;
}

/** Text, where it is of JSON, is taken apart: blanks and the way of writing a number are not its content. */
function json(value: unknown): string {
  if (typeof value !== 'string') return stringify(value);
  try {
    return stringify(JSON.parse(value));
  } catch {
    return stringify(value);
  }
}

function stringify(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)) ?? 'null'
  );
}
