import { SluiceError } from '../lib/core/errors.ts';

/** A file that is not what its format says. Whoever knows the file's name adds it: see `withPath`. */
export function corrupt(why: string): never {
  throw new SluiceError('INPUT_CORRUPT', why);
}

/**
 * Runs what reads a file. Whatever it trips over (an offset that leads out of a page, a codec that gives up) is the
 * file's fault, and is told with its name.
 */
export async function withPath<T>(path: string, format: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SluiceError && error.code !== 'INPUT_CORRUPT') throw error;
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof SluiceError && why.startsWith(path)) throw error;
    throw new SluiceError('INPUT_CORRUPT', `${path} is not readable ${format}: ${why}`, {
      hint: 'the file is torn or damaged: replace it, or exclude it',
      details: { path },
      cause: error,
    });
  }
}
