/** Crashes at failpoints, within the test's own process. */
import { setFailpointHook } from '../../lib/core/failpoint.ts';

export class Crash extends Error {}

/**
 * Crashes at the nth time of a failpoint, and at everything after it, until the hook is set anew.
 * @returns whether it has
 */
export function crashAt(name: string, nth: number): () => boolean {
  let left = nth;
  let dead = false;
  setFailpointHook((reached) => {
    if (!dead && reached === name && --left === 0) dead = true;
    if (dead) throw new Crash(`crash at ${name}`);
  });
  return () => dead;
}
