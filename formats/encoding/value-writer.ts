/** The values of one column as text, one after the other: what row encoders are made of. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type {
  BitsColumn,
  BytesColumn,
  Column,
  DictionaryColumn,
  FixedColumn,
  ListColumn,
  StructColumn,
} from '../../lib/core/column.ts';
import { SluiceError } from '../../lib/core/errors.ts';

export interface ValueWriter {
  /** Looks at another column, or at the same one after it was filled anew: its arrays may be other ones now. */
  bind(column: Column): void;
  /** Appends the value of a row that is not null. */
  write(row: number, out: ByteBuffer): void;
}

export function asBits(column: Column): BitsColumn {
  return column.layout === 'bits' ? column : otherLayout(column, 'bits');
}

export function asFixed(column: Column): FixedColumn {
  return column.layout === 'fixed' ? column : otherLayout(column, 'fixed');
}

export function asList(column: Column): ListColumn {
  return column.layout === 'list' ? column : otherLayout(column, 'list');
}

export function asStruct(column: Column): StructColumn {
  return column.layout === 'struct' ? column : otherLayout(column, 'struct');
}

export function asByteStrings(column: Column): BytesColumn | DictionaryColumn {
  return column.layout === 'bytes' || column.layout === 'dictionary' ? column : otherLayout(column, 'bytes');
}

function otherLayout(column: Column, wanted: string): never {
  throw new SluiceError(
    'INTERNAL',
    `a ${column.type.kind} column has the layout ${column.layout}, not ${wanted}`,
  );
}
