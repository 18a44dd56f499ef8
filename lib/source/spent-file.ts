/** A file whose rows are all in a checkpoint: what becomes of it (`source.after_commit`) is done once they are visible. */
import type { FileEnd } from './open-files.ts';

export interface SpentFile {
  readonly path: string;
  /** As it was taken: a file that has changed since is another one. */
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, in decimal. */
  readonly modifiedNs: string;
  /** See FileStatus, in decimal. Left out where the storage has none, and in checkpoints of before they were kept. */
  readonly identity?: string;
  readonly birthKey?: string;
  /** The first checkpoint that holds all its rows. */
  readonly checkpointId: number;
  /** When that checkpoint was taken, milliseconds since 1970: without a key, a file that began to exist later is a new one. */
  readonly checkpointMs: number;
}

/** Files that changed or vanished while they were read, or that could not be read as a whole, are not ours to tidy up. */
export function spentFiles(
  ended: readonly FileEnd[],
  checkpointId: number,
  checkpointMs: number,
): SpentFile[] {
  return ended
    .filter(({ kind, incomplete }) => kind === 'read' && !incomplete)
    .map(({ path, sizeBytes, modifiedNs, identity, birthKey }) => ({
      path,
      sizeBytes,
      modifiedNs,
      ...(identity === undefined ? {} : { identity }),
      ...(birthKey === undefined ? {} : { birthKey }),
      checkpointId,
      checkpointMs,
    }));
}
