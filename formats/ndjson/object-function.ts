/**
 * Straight-line functions that read objects of a known shape. The text that is compiled is made of numbers only: keys
 * are compared as 32-bit words, and readers are handed over by index. Nothing of the data or the schema gets into it.
 *
 * A key of the shape may be missing in an object; anything else that is not as expected (another order, white space, a
 * key that stands twice, a value of another type) gives REFUSED, and the object is read again in the general way.
 */
import type { ObjectShape } from './object-shape.ts';
import { skipValue } from './skip-value.ts';
import { REFUSED, type ValueReader } from './value-reader.ts';

/** @param at of the opening brace @returns the index behind the closing one, or REFUSED */
export type ObjectFunction = (bytes: Uint8Array, view: DataView, at: number, row: number) => number;

export interface ObjectField {
  readonly reader: ValueReader;
  readonly nullable: boolean;
}

/** V8 does not optimize functions of more than 60 KB of bytecode: wide objects are read in parts. */
const KEYS_PER_PART = 24;

/** null where code generation is forbidden (`--disallow-code-generation-from-strings`). */
export function compileObject(shape: ObjectShape, fields: readonly ObjectField[]): ObjectFunction | null {
  const { keys } = shape;
  const parts: string[] = [];
  for (let first = 0; first < keys.length; first += KEYS_PER_PART) {
    const lines: string[] = [];
    for (const { text, field } of keys.slice(first, first + KEYS_PER_PART)) {
      lines.push(...fieldLines(text, field, field < 0 ? true : fields[field]!.nullable, shape));
    }
    parts.push(`function part${parts.length}(bytes, view, at, row) {\n${lines.join('\n')}\nreturn at;\n}`);
  }
  const readers = fields.map((_, i) => `const r${i} = readers[${i}];`);
  const calls = parts.map((_, i) => `at = part${i}(bytes, view, at, row);\nif (at < 0) return ${REFUSED};`);
  const lastBeforeEnd = shape.blankAfterComma ? 32 : 44;
  const source = `'use strict';
${readers.join('\n')}
${parts.join('\n')}
return function readObject(bytes, view, at, row) {
if (bytes[at] !== 123) return ${REFUSED};
at++;
${calls.join('\n')}
// A separator before the brace has no key behind it.
if (bytes[at] !== 125 || bytes[at - 1] === ${lastBeforeEnd}) return ${REFUSED};
return at + 1;
};`;
  try {
    return new Function('readers', 'skipValue', source)(
      fields.map((field) => field.reader),
      skipValue,
    ) as ObjectFunction;
  } catch (error) {
    if (error instanceof EvalError) return null;
    throw error;
  }
}

function fieldLines(text: Uint8Array, field: number, nullable: boolean, shape: ObjectShape): string[] {
  const missing = field < 0 ? '' : nullable ? `r${field}.readNull(row);` : `return ${REFUSED};`;
  const lead = Uint8Array.of(34, ...text, ...(shape.blankAfterColon ? [34, 58, 32] : [34, 58]));
  const lines = [`if (${comparison(lead)}) {`, `at += ${lead.length};`];
  if (field < 0) lines.push('at = skipValue(bytes, view, at);', `if (at < 0) return ${REFUSED};`);
  else {
    const read = `at = r${field}.read(bytes, view, at, row);\nif (at < 0) return ${REFUSED};`;
    // 'null', as a word
    if (nullable) {
      lines.push(
        `if (bytes[at] === 110 && view.getInt32(at, true) === ${0x6c6c756e}) {`,
        `r${field}.readNull(row);`,
        'at += 4;',
        `} else {\n${read}\n}`,
      );
    } else lines.push(read);
  }
  lines.push(
    shape.blankAfterComma
      ? 'if (bytes[at] === 44 && bytes[at + 1] === 32) at += 2;'
      : 'if (bytes[at] === 44) at++;',
    // Without a separator this was the last value: no key may follow.
    `else if (bytes[at] !== 125) return ${REFUSED};`,
    missing === '' ? '}' : `} else {\n${missing}\n}`,
  );
  return lines;
}

/** Whether `text`, of 3 bytes at the least, stands at `at`. Words are read behind bytes that matched, so never too far. */
function comparison(text: Uint8Array): string {
  if (text.length === 3) return [0, 1, 2].map((i) => `bytes[at + ${i}] === ${text[i]}`).join(' && ');
  const view = new DataView(text.buffer);
  const words: string[] = [];
  for (let i = 0; i < text.length; i += 4) {
    // The last word may overlap the one before.
    const offset = Math.min(i, text.length - 4);
    words.push(`view.getInt32(at + ${offset}, true) === ${view.getInt32(offset, true)}`);
  }
  return words.join(' && ');
}
