/** What a path is known by. */
import { hash } from 'node:crypto';

/** The first 128 bits of SHA-256 over the UTF-8 path: two different paths sharing them is not going to happen. */
export type PathHash = Uint32Array;

/** Overwritten by the next call. */
const scratch = new Uint32Array(4);

export function hashPath(path: string): PathHash {
  // 'binary' is three times as fast as a Buffer: no external memory is allocated for the result.
  const digest = hash('sha256', path, 'binary');
  for (let i = 0; i < 4; i++) {
    scratch[i] =
      digest.charCodeAt(i * 4) |
      (digest.charCodeAt(i * 4 + 1) << 8) |
      (digest.charCodeAt(i * 4 + 2) << 16) |
      (digest.charCodeAt(i * 4 + 3) << 24);
  }
  return scratch;
}
