/** Tells an answer from the empty shape that the SDK makes of something else. */
import { SluiceError } from '../../core/errors.ts';

/**
 * What every right answer has. A 200 may come with an error in its place (some servers begin to answer before they are
 * done, some proxies always do), and the SDK then shows an answer with nothing in it: a listing without files, say.
 */
export function whole<T>(what: string, proof: T | undefined): T {
  if (proof !== undefined) return proof;
  throw new SluiceError('STORAGE_FAILED', `${what}: the server says that all is well, and answers nothing`, {
    hint: 'look at what is between this machine and the server; nothing is lost: start again',
    retryable: true,
  });
}
