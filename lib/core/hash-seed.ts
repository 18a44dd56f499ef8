/**
 * 32 random bits that every hash of a table begins with, so that nobody can prepare values whose hashes are equal. What V8
 * makes them with is itself seeded by Node's cryptographic generator; no number of it gets into what is written.
 */
export function hashSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
