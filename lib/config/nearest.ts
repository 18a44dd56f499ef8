/** What somebody meant who wrote something else. */
import { distance } from 'fastest-levenshtein';

/** Longer words are nobody's typing error, and cost time to compare. */
const MAX_LENGTH = 64;

/** The known word nearest to a given one, or null where none is near. */
export function nearest(given: string, known: readonly string[]): string | null {
  if (given.length > MAX_LENGTH) return null;
  const plain = normalize(given);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const between = distance(plain, normalize(word));
    if (between < bestDistance) {
      best = word;
      bestDistance = between;
    }
  }
  return bestDistance <= (given.length < 4 ? 1 : Math.max(2, Math.floor(given.length / 3))) ? best : null;
}

/** `monitorInterval` and `monitor-interval` are `monitor_interval`. */
function normalize(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');
}
