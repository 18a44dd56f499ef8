/** Values of columns out of text, as CSV fields and JSON literals hold it. */
import type { DataType } from '../../lib/core/data-type.ts';
import { parseDate } from './date.ts';
import { decimalParser } from './decimal.ts';
import type { FixedParser } from './fixed-parser.ts';
import { parseFloat32, parseFloat64 } from './float.ts';
import { parseInt32, parseInt64 } from './integer.ts';
import { timestampParser } from './timestamp.ts';

/** The parser of a type with the layout `fixed`; null for every other type. */
export function fixedParser(type: DataType): FixedParser | null {
  switch (type.kind) {
    case 'int32':
      return parseInt32;
    case 'int64':
      return parseInt64;
    case 'float32':
      return parseFloat32;
    case 'float64':
      return parseFloat64;
    case 'decimal':
      return decimalParser(type.precision, type.scale);
    case 'date':
      return parseDate;
    case 'timestamp':
      return timestampParser(type.unit);
    default:
      return null;
  }
}
