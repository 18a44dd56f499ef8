import { randomBytes } from 'node:crypto';

/** Randomness as the program sees it, so that tests can name files beforehand. */
export interface Ids {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

export const randomIds: Ids = { hex: (bytes) => randomBytes(bytes).toString('hex') };

/** Counts up: for tests that look at names. */
export function countingIds(): Ids {
  let next = 0;
  return { hex: (bytes) => (next++).toString(16).padStart(bytes * 2, '0') };
}
