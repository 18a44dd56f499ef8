/** In which order candidates run, so that what else the machine does, and what the one before has left of it, hits all alike. */
import { seededRandom } from '../support/generate.ts';

/** Another order each round, the same each time. In a fixed one, each would always run behind the same other. */
export function inTurns<T>(candidates: readonly T[], round: number): T[] {
  const random = seededRandom(1 + round);
  return candidates
    .map((candidate) => ({ candidate, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ candidate }) => candidate);
}
