/**
 * Truth of a condition, row by row, in SQL's three values. A vector belongs to the node of the compiled expression that
 * filled it, and is valid until that is evaluated again.
 */
export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** Fills out with the truth of each row. */
export type Truth = Uint8Array;

export function and(out: Truth, left: Truth, right: Truth, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const a = left[row]!;
    const b = right[row]!;
    out[row] = a === FALSE || b === FALSE ? FALSE : a === UNKNOWN || b === UNKNOWN ? UNKNOWN : TRUE;
  }
}

export function or(out: Truth, left: Truth, right: Truth, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const a = left[row]!;
    const b = right[row]!;
    out[row] = a === TRUE || b === TRUE ? TRUE : a === UNKNOWN || b === UNKNOWN ? UNKNOWN : FALSE;
  }
}

export function not(out: Truth, operand: Truth, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const truth = operand[row]!;
    out[row] = truth === UNKNOWN ? UNKNOWN : 1 - truth;
  }
}
