/** Some rows of a column as a column of its own, over the same memory. */
import { pushBits } from '../../lib/core/bitmap.ts';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import {
  BitsColumn,
  BytesColumn,
  type Column,
  DictionaryColumn,
  FixedColumn,
  ListColumn,
  StructColumn,
} from '../../lib/core/column.ts';

/** The rows [from, to). Values are views; offsets begin at 0 anew, and bitmaps are moved where `from` is no multiple of 8. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  const sliced = sliceValues(column, from, to);
  sliced.length = to - from;
  sliced.capacity = to - from;
  if (column.validity === null) return sliced;
  const validity = sliceBits(column.validity, from, to);
  let nulls = 0;
  for (let row = from; row < to; row++) if (column.isNull(row)) nulls++;
  if (nulls > 0) {
    sliced.validity = validity;
    sliced.nullCount = nulls;
  }
  return sliced;
}

function sliceValues(column: Column, from: number, to: number): Column {
  switch (column.layout) {
    case 'bits': {
      const sliced = new BitsColumn(column.type, 0);
      sliced.values = sliceBits(column.values, from, to);
      return sliced;
    }
    case 'fixed': {
      const { words } = column;
      const sliced = new FixedColumn(column.type, words, 0);
      sliced.adopt(column.values.subarray(from * words, to * words));
      return sliced;
    }
    case 'dictionary': {
      const sliced = new DictionaryColumn(column.type, 0, column.dictionary);
      sliced.codes = column.codes.subarray(from, to);
      return sliced;
    }
    case 'bytes': {
      const sliced = new BytesColumn(column.type, 0);
      sliced.offsets = sliceOffsets(column.offsets, from, to);
      sliced.bytes = column.bytes.subarray(column.offsets[from]!, column.offsets[to]!);
      return sliced;
    }
    case 'list': {
      const child = sliceColumn(column.child, column.offsets[from]!, column.offsets[to]!);
      const sliced = new ListColumn(column.type, 0, child);
      sliced.offsets = sliceOffsets(column.offsets, from, to);
      return sliced;
    }
    case 'struct':
      return new StructColumn(
        column.type,
        column.fields,
        0,
        column.children.map((child) => sliceColumn(child, from, to)),
      );
  }
}

function sliceBits(bits: Uint8Array, from: number, to: number): Uint8Array {
  if ((from & 7) === 0) return bits.subarray(from >> 3, (to + 7) >> 3);
  const out = new ByteBuffer((to - from + 7) >> 3);
  pushBits(out, bits, from, to);
  return out.view();
}

function sliceOffsets(offsets: Int32Array, from: number, to: number): Int32Array {
  const first = offsets[from]!;
  if (first === 0) return offsets.subarray(from, to + 1);
  const moved = new Int32Array(to - from + 1);
  for (let i = 0; i < moved.length; i++) moved[i] = offsets[from + i]! - first;
  return moved;
}
