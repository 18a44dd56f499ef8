/**
 * Turns a file into splits. Uncompressed files of one record a line are cut into byte ranges, so that several subtasks
 * read one large file; every other file is one split.
 */
import { detectCompression, MAGIC_BYTES } from '../../formats/compression/detect.ts';
import type { SourceSpec } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { Compression } from '../core/specs.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import { compressionOf } from './compression.ts';
import { type FileRanges, openOnce } from './file-ranges.ts';
import { endOfLastLine, fingerprint } from './fingerprint.ts';
import type { KnownFile } from './known-files-log.ts';
import { isUntouched, type Split, startPosition } from './split.ts';

/** What is to be read of a file, and what is to be remembered of it. */
export type Plan =
  | TakenPlan
  /** What was taken of the file is not what stands there now. */
  | { readonly kind: 'replaced'; readonly why: string };

export type TakenPlan =
  | {
      readonly kind: 'read';
      readonly startByte: number;
      readonly endByte: number | null;
      /** null where nobody had to look; the reader will. */
      readonly compression: Compression | null;
      readonly consumedBytes: number;
      readonly fingerprint: bigint;
    }
  /** No whole line was added (yet). */
  | { readonly kind: 'nothing'; readonly consumedBytes: number; readonly fingerprint: bigint };

export interface SplitPlannerOptions {
  readonly fileSystem: FileSystem;
  /** InputFormat.splittable. */
  readonly splittable: boolean;
  readonly compression: 'auto' | Compression;
  readonly splitSizeBytes: number;
  readonly followAppends: boolean;
  readonly maxRecordBytes: number;
}

/** A last range up to this much longer is not cut again. Hadoop: FileInputFormat.SPLIT_SLOP. */
const SPLIT_SLOP = 1.1;

/** A file whose lines are numbered is read from its beginning: it is not cut. */
export function splitSizeOf({
  lineage,
  splitSizeBytes,
}: Pick<SourceSpec, 'lineage' | 'splitSizeBytes'>): number {
  return lineage.includes('line') ? Number.MAX_SAFE_INTEGER : splitSizeBytes;
}

export class SplitPlanner {
  readonly #options: SplitPlannerOptions;

  constructor(options: SplitPlannerOptions) {
    this.#options = options;
  }

  /** The plan of a new file where it can be made without looking into it: most files, so it costs nothing. */
  planUnseen(file: FileStatus): TakenPlan | null {
    const { splittable, compression, splitSizeBytes, followAppends } = this.#options;
    const maySplit = splittable && file.sizeBytes > splitSizeBytes * SPLIT_SLOP;
    if (followAppends && splittable) return null;
    if (maySplit && compression === 'auto') return null;
    return readWhole(compression === 'auto' ? null : compression);
  }

  /**
   * @param known what was taken of it before and is to be continued; null: the file is taken from its beginning
   * @throws SluiceError NOT_FOUND where it is gone
   */
  async plan(file: FileStatus, known: KnownFile | null): Promise<Plan> {
    const { fileSystem, splittable, followAppends, maxRecordBytes } = this.#options;
    if (known !== null && known.fingerprint === 0n) {
      return {
        kind: 'replaced',
        why: 'it cannot be followed, by its format or compression or because it was replaced before',
      };
    }
    const { compression: wanted } = this.#options;
    const another = (compression: Compression): Plan =>
      known === null ? readWhole(compression) : { kind: 'replaced', why: `it is now ${compression}` };
    if (!followAppends || !splittable) return another(await compressionOf(fileSystem, file.path, wanted));
    if (known !== null && file.sizeBytes < known.consumedBytes) {
      const { consumedBytes } = known;
      return {
        kind: 'replaced',
        why: `it was truncated: ${consumedBytes} bytes were taken, ${file.sizeBytes} are left`,
      };
    }
    const ranges = await openOnce(fileSystem, file.path, file);
    try {
      const compression = wanted === 'auto' ? detectCompression(await ranges.read(0, MAGIC_BYTES)) : wanted;
      if (compression !== 'none') return another(compression);
      const plan = await this.#planLines(file, ranges, known?.consumedBytes ?? 0, maxRecordBytes);
      // Last, so that what the plan says is of the file that has this prefix even if it was truncated meanwhile.
      if (known === null || (await fingerprint(ranges, known.consumedBytes)) === known.fingerprint)
        return plan;
      return { kind: 'replaced', why: 'what was taken of it stands there no longer' };
    } finally {
      await ranges.close();
    }
  }

  async #planLines(
    file: FileStatus,
    ranges: FileRanges,
    startByte: number,
    maxRecordBytes: number,
  ): Promise<TakenPlan> {
    const endByte = await endOfLastLine(ranges, startByte, file.sizeBytes, maxRecordBytes);
    const after = await fingerprint(ranges, endByte);
    if (after === null) throw new SluiceError('NOT_FOUND', `${file.path} shrank while it was looked at`);
    const remember = { consumedBytes: endByte, fingerprint: after };
    return endByte === startByte
      ? { kind: 'nothing', ...remember }
      : { kind: 'read', startByte, endByte, compression: 'none', ...remember };
  }

  /** Whether two files that are not empty begin with the same bytes, as many as the shorter one has. */
  async beginLikewise(file: FileStatus, other: FileStatus): Promise<boolean> {
    const length = Math.min(file.sizeBytes, other.sizeBytes);
    if (length === 0) return false;
    const { fileSystem } = this.#options;
    const [one, another] = await Promise.all(
      [file, other].map((each) => fingerprintOf(fileSystem, each, length)),
    );
    return one === another;
  }

  /**
   * Cuts the first range off a split that is too long and of which nothing was read. Done when the range is wanted, so
   * that a terabyte is one entry in a checkpoint and not sixteen thousand.
   * @returns the range, and the rest or null
   */
  cut(split: Split): [Split, Split | null] {
    const { splittable, splitSizeBytes } = this.#options;
    const end = split.endByte ?? split.sizeBytes;
    const tooLong = end - split.startByte > splitSizeBytes * SPLIT_SLOP;
    if (!splittable || split.compression !== 'none' || !tooLong || !isUntouched(split)) return [split, null];
    const cutByte = split.startByte + splitSizeBytes;
    const [fileId, index] = split.id.split('.');
    return [
      { ...split, endByte: cutByte },
      {
        ...split,
        id: `${fileId}.${Number(index) + 1}`,
        startByte: cutByte,
        position: startPosition(cutByte),
      },
    ];
  }
}

function readWhole(compression: Compression | null): TakenPlan {
  return { kind: 'read', startByte: 0, endByte: null, compression, consumedBytes: 0, fingerprint: 0n };
}

async function fingerprintOf(
  fileSystem: FileSystem,
  file: FileStatus,
  length: number,
): Promise<bigint | null> {
  const ranges = await openOnce(fileSystem, file.path, file);
  try {
    return await fingerprint(ranges, length);
  } finally {
    await ranges.close();
  }
}
