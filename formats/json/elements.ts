/**
 * Finds the elements of a JSON array and writes each as one line: line ends between tokens become blanks, those within
 * strings NUL, which is as little allowed there, so that whoever parses the line refuses them. Whether an element is JSON
 * is not looked at beyond strings and brackets.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LINE_FEED = 10;

/** Where the text stands between two elements. */
export type ArrayPlace =
  /** Before the opening bracket. */
  | 'start'
  /** Behind it: an element or the closing bracket. */
  | 'first'
  /** Behind an element: a comma or the closing bracket. */
  | 'behind'
  /** Behind a comma: an element. */
  | 'comma'
  /** Behind the closing bracket: nothing. */
  | 'end';

export interface Between {
  /** Where an element begins, or the first byte not consumed. */
  readonly at: number;
  readonly place: ArrayPlace;
  readonly isElement: boolean;
  /** What is wrong with the byte there; null where nothing is. */
  readonly damage: string | null;
}

/** Passes over what stands between elements. */
export function skipBetween(bytes: Uint8Array, from: number, to: number, place: ArrayPlace): Between {
  let at = from;
  let now = place;
  const damaged = (damage: string): Between => ({ at, place: now, isElement: false, damage });
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 32 || byte === LINE_FEED || byte === 13 || byte === 9) continue;
    switch (now) {
      case 'start':
        if (byte !== OPEN_BRACKET) return damaged('it does not begin with [, so it is no JSON array');
        now = 'first';
        break;
      case 'first':
      case 'comma':
        if (byte === COMMA) return damaged('an element is missing before a comma');
        if (byte !== CLOSE_BRACKET) return { at, place: now, isElement: true, damage: null };
        if (now === 'comma') return damaged('a comma stands before the closing bracket');
        now = 'end';
        break;
      case 'behind':
        if (byte !== COMMA && byte !== CLOSE_BRACKET)
          return damaged('a comma or ] is missing behind an element');
        now = byte === COMMA ? 'comma' : 'end';
        break;
      case 'end':
        return damaged('there is text behind the closing bracket');
    }
  }
  return { at, place: now, isElement: false, damage: null };
}

/** Finds ends of elements, over several windows if need be. */
export class ElementScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** An element that is no object, list or string ends where something else begins. */
  #isBare = false;
  #began = false;

  /** Forgets the element that was begun. */
  reset(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#isBare = false;
    this.#began = false;
  }

  /**
   * Goes on in an element that begins at `from`, or goes on there.
   * @param out gets the element's bytes, blanks for line ends, at out[into, ...); null: nowhere
   * @returns the index behind its end, -1 where it is not among the bytes
   */
  scan(bytes: Uint8Array, from: number, to: number, out: Uint8Array | null, into: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let at = from;
    let write = into;
    for (; at < to; at++) {
      const byte = bytes[at]!;
      if (inString) {
        // A line end is not allowed there, and would make two lines of the element: another such byte takes its place.
        if (out !== null) out[write++] = byte === LINE_FEED ? 0 : byte;
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) return this.#end(at + 1);
        }
        continue;
      }
      if (this.#isBare && (byte === COMMA || byte === CLOSE_BRACKET || byte <= 32)) return this.#end(at);
      if (out !== null) out[write++] = byte === LINE_FEED || byte === 13 ? 32 : byte;
      if (byte === QUOTE) inString = true;
      else if (byte === 0x7b || byte === OPEN_BRACKET) depth++;
      else if (byte === 0x7d || byte === CLOSE_BRACKET) {
        depth--;
        if (depth <= 0) return this.#end(at + 1);
      } else if (!this.#began) this.#isBare = true;
      this.#began = true;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return -1;
  }

  #end(at: number): number {
    this.reset();
    return at;
  }
}
