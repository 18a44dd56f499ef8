import { nodeCrypto } from './node-crypto.ts';

/** Randomness as the program sees it, so that tests can name files beforehand. */
export interface Ids {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

const RUN_ID_BYTES = 4;

/** Of one run of a program: in the names of what it has not finished. */
export function newRunId(ids: Ids): string {
  return ids.hex(RUN_ID_BYTES);
}

export const randomIds: Ids = { hex: (bytes) => nodeCrypto().randomBytes(bytes).toString('hex') };
