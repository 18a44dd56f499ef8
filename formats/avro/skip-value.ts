/** Passes over values that nobody wants. */
import { corrupt } from '../corrupt.ts';
import type { AvroType } from './avro-type.ts';
import type { Cursor } from './cursor.ts';

export type SkipValue = (cursor: Cursor) => void;

/** Looked up when it is called, where a type holds itself. */
export function skipperOf(type: AvroType): SkipValue {
  const skip: SkipValue = (cursor) => skipValue(type, cursor, 0);
  return skip;
}

function skipValue(type: AvroType, cursor: Cursor, depth: number): void {
  if (depth > 256) corrupt('a value is nested deeper than 256');
  switch (type.kind) {
    case 'null':
      return;
    case 'boolean':
      cursor.take(1);
      return;
    case 'float':
      cursor.take(4);
      return;
    case 'double':
      cursor.take(8);
      return;
    case 'int':
    case 'long':
    case 'enum':
      cursor.readLong();
      return;
    case 'string':
    case 'bytes':
      cursor.take(cursor.readLength());
      return;
    case 'fixed':
      cursor.take(type.size);
      return;
    case 'union': {
      const branch = type.branches[cursor.readCount()];
      if (branch === undefined) corrupt('a union has no such branch');
      skipValue(branch, cursor, depth + 1);
      return;
    }
    case 'record':
      for (const field of type.fields) skipValue(field.type, cursor, depth + 1);
      return;
    case 'array':
    case 'map':
      for (let count = cursor.readCount(); count !== 0; count = cursor.readCount()) {
        // A piece that says its bytes is passed over at once.
        if (count < 0) {
          cursor.take(cursor.readLength());
          continue;
        }
        for (let i = 0; i < count; i++) {
          if (type.kind === 'map') cursor.take(cursor.readLength());
          skipValue(type.kind === 'map' ? type.values : type.items, cursor, depth + 1);
        }
      }
  }
}
