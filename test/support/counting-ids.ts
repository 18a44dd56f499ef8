import type { Ids } from '../../lib/core/ids.ts';

/** Counts up: for tests that look at names. */
export function countingIds(): Ids {
  let next = 0;
  return { hex: (bytes) => (next++).toString(16).padStart(bytes * 2, '0') };
}
