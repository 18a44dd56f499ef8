import pLimit from 'p-limit';
import type { OpenFile, PendingFile } from './recoverable-writer.ts';

/** node's thread pool has 4 threads; more files keep it busy between their steps. */
export const CONCURRENT_FILES = 8;

/** RecoverableWriter.writeWhole by way of `open`, so many at a time. */
export class WholeFiles {
  readonly #limit = pLimit(CONCURRENT_FILES);

  write(open: () => Promise<OpenFile>, bytes: Uint8Array): Promise<PendingFile> {
    return this.#limit(async () => {
      const file = await open();
      try {
        await file.write(bytes);
        return await file.closeForCommit();
      } catch (error) {
        // What went wrong first is what is told.
        await file.release().catch(() => {});
        throw error;
      }
    });
  }
}
