/** Merges a unit into a hidden file, at a bounded rate. */
import { createPartMerger } from '../../formats/part-merger.ts';
import type { ByteSource } from '../core/byte-source.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import { Pace } from '../core/pace.ts';
import type { MergeSource } from '../core/part-merger.ts';
import type { OutputFormatSpec, S3Spec } from '../core/specs.ts';
import { openRandomFile } from '../source/random-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { PendingFile } from '../storage/recoverable-writer.ts';
import type { SmallPart } from './plan.ts';

/** Row groups of this share of the target are copied, smaller ones encoded again. */
const COPY_SHARE = 1 / 8;
const MAX_COPY_BYTES = 8 * 1024 * 1024;

export interface MergeConfig {
  readonly format: OutputFormatSpec;
  readonly staging: string | null;
  /** How the object store is reached, for a lake that lies in one. */
  readonly s3: S3Spec;
  readonly targetBytes: number;
  readonly sortBy: readonly string[];
  /** Read and written together. */
  readonly bytesPerSecond: number;
}

export interface MergeRequest {
  readonly sources: readonly SmallPart[];
  readonly finalPath: string;
}

export interface MergeAnswer {
  /** Durable and hidden; null where the sources do not go together. */
  readonly file: PendingFile | null;
  /** Paths of those that are in it. */
  readonly merged: readonly string[];
}

/** @throws SluiceError NOT_FOUND, INPUT_CORRUPT for a source; storage errors. Nothing is left but perhaps a hidden file */
export async function mergeParts(
  { sources, finalPath }: MergeRequest,
  { format, staging, targetBytes, sortBy, bytesPerSecond }: MergeConfig,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<MergeAnswer> {
  const merger = createPartMerger(format, {
    copyRowGroupBytes: Math.min(MAX_COPY_BYTES, targetBytes * COPY_SHARE),
    sortBy,
  });
  const pace = new Pace(clock, bytesPerSecond);
  const out = await fileSystem.recoverableWriter.open(finalPath, staging);
  try {
    const indexes = await merger.merge(
      sources.map((source) => mergeSource(source, fileSystem)),
      async (bytes) => {
        await out.write(bytes);
        // What is written was read before.
        pace.spend(bytes.length * 2);
        // A timer of less than a millisecond waits for longer than it should.
        if (pace.waitMs >= 1) await sleep(clock, pace.waitMs);
      },
    );
    if (indexes.length < 2) {
      await out.discard();
      return { file: null, merged: [] };
    }
    const file = await out.closeForCommit();
    failpoint('compaction.merged');
    return { file, merged: indexes.map((index) => sources[index]!.path) };
  } catch (error) {
    // Promised to nobody; what cannot be removed now, the next start removes.
    await out.discard().catch(() => out.release());
    throw error;
  }
}

function mergeSource({ path, sizeBytes }: SmallPart, fileSystem: FileSystem): MergeSource {
  return {
    path,
    sizeBytes,
    stream: async () => wholly(await fileSystem.open(path, 0), path, sizeBytes),
    open: () => openRandomFile(fileSystem, { path, sizeBytes }),
  };
}

/** What is read of a part, until it turns out not to have the bytes that it was made with. */
function wholly(source: ByteSource, path: string, sizeBytes: number): ByteSource {
  let left = sizeBytes;
  return {
    read: async (into) => {
      const length = await source.read(into);
      left -= length;
      if (left < 0 || (length === 0 && left > 0)) {
        throw new SluiceError(
          'INPUT_CORRUPT',
          `${path} does not have the ${sizeBytes} bytes that it was made with`,
          {
            hint: 'restore it from a backup; sluice verify names every part that is not as it was',
            details: { path },
          },
        );
      }
      return length;
    },
    close: () => source.close(),
  };
}
