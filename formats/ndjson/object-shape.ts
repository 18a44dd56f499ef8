/**
 * The shape that objects of a file usually have: which keys, in which order, with which white space. Objects are first
 * read in any order; what was seen is the shape that a straight-line function is made for (object-function.ts).
 */
/** Keys that are in no column, beyond which a shape takes no more of them. */
export const MAX_UNKNOWN_KEYS = 256;
const MAX_KEY_BYTES = 256;

export interface ShapeKey {
  /** The key as it stands in the file, between the quotes: escapes and all, so equal bytes are the same key. */
  readonly text: Uint8Array;
  /** Index of the field, -1 where the value is passed over. */
  readonly field: number;
}

export interface ObjectShape {
  /** Every field once. Any of them may be missing in an object. */
  readonly keys: readonly ShapeKey[];
  /** `{"a": 1, "b": 2}`, as Python writes it. */
  readonly blankAfterColon: boolean;
  readonly blankAfterComma: boolean;
}

/** Notes the keys of one object while it is read. */
export class ShapeObserver {
  #keys: ShapeKey[] = [];
  #unknown = 0;
  #blankAfterColon = false;
  #blankAfterComma = false;

  begin(): void {
    this.#keys = [];
    this.#unknown = 0;
    this.#blankAfterColon = false;
    this.#blankAfterComma = false;
  }

  /** @param field -1 where there is none @param start of the key's text @param end at its closing quote */
  note(bytes: Uint8Array, field: number, start: number, end: number): void {
    if (end - start > MAX_KEY_BYTES || (field < 0 && this.#unknown >= MAX_UNKNOWN_KEYS)) return;
    if (field < 0) this.#unknown++;
    this.#keys.push({ text: bytes.slice(start, end), field });
    this.#blankAfterColon = bytes[end + 1] === 58 && bytes[end + 2] === 32;
    if (this.#keys.length > 1) this.#blankAfterComma = bytes[start - 2] === 32 && bytes[start - 3] === 44;
  }

  /**
   * What was noted since `begin`, and what else `before` holds: each of its keys stands behind the one that it stood
   * behind there, so that objects of several kinds, one after the other, end in a shape that has the keys of all.
   */
  shape(before: ObjectShape): ObjectShape {
    const keys: ShapeKey[] = [];
    const known = new Set<string>();
    for (const key of this.#keys) {
      const name = nameOf(key);
      if (!known.has(name)) keys.push(key);
      known.add(name);
    }
    let unknown = this.#unknown;
    let at = 0;
    for (const key of before.keys) {
      const name = nameOf(key);
      if (known.has(name)) at = keys.findIndex((other) => nameOf(other) === name) + 1;
      else if (key.field >= 0 || unknown++ < MAX_UNKNOWN_KEYS) keys.splice(at++, 0, key);
    }
    return { keys, blankAfterColon: this.#blankAfterColon, blankAfterComma: this.#blankAfterComma };
  }
}

/** Fields by their number: a key may be spelled with escapes. */
function nameOf(key: ShapeKey): string {
  return key.field >= 0 ? `#${key.field}` : Buffer.from(key.text).toString('latin1');
}

/** The shape of a schema's fields, where nothing was seen yet. */
export function shapeOfFields(names: readonly string[]): ObjectShape {
  const keys = names.map((name, field) => ({ text: keyText(name), field }));
  return { keys, blankAfterColon: false, blankAfterComma: false };
}

/** A key as JSON spells it, between the quotes. */
export function keyText(name: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(name).slice(1, -1));
}
