import { randomBytes } from 'node:crypto';

/** Randomness as the program sees it, so that tests can name files beforehand. */
export interface Ids {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

export const randomIds: Ids = { hex: (bytes) => randomBytes(bytes).toString('hex') };
