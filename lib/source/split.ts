/**
 * A split: a file, or a byte range of one, that a subtask reads from a position on (Flink: FileSourceSplit). Plain JSON,
 * so that it goes to worker threads and into checkpoints as it is.
 *
 * All splits of one file carry the `fileId` of the time it was taken: the file counts as read once none of them is left.
 */
import type { DecoderState } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { Compression } from '../core/specs.ts';
import type { SplitTally } from './tally.ts';

const COMPRESSIONS: readonly string[] = [
  'none',
  'gzip',
  'zstd',
  'bzip2',
  'lz4',
  'snappy',
] satisfies Compression[];

export interface SplitPosition {
  /** Byte offset in the decompressed file of the first byte that was not taken. */
  readonly offset: number;
  /** What the decoder needs to go on there. */
  readonly state: DecoderState;
  /** Records taken since `startByte`, refused ones included. */
  readonly records: number;
  /** Line that `offset` is in, from 1; left out where nobody counts lines. */
  readonly line?: number;
}

/** Plain JSON: numbers of 64 bits are decimal text. */
export interface SplitPrefix {
  /** Of so many bytes at the file's beginning this is the fingerprint (see fingerprint.ts). All ranges are in them. */
  readonly bytes: number;
  readonly fingerprint: string;
  /** See FileStatus; 0 where it has none. */
  readonly fileKey: string;
}

export interface Split {
  /** `<fileId>.<n>`, never used twice in a job. */
  readonly id: string;
  readonly fileId: string;
  readonly path: string;
  /** Of the whole file when it was listed. Nothing behind it is read. */
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, in decimal: JSON has no 64-bit integers. */
  readonly modifiedNs: string;
  /** What tells its version instead, where the storage has that, in decimal. */
  readonly identity?: string;
  /** null: the reader looks at the file's first bytes. Known before a file is cut. */
  readonly compression: Compression | null;
  /** A split owns the lines that begin in [startByte, endByte). */
  readonly startByte: number;
  /** null: the end of the file. */
  readonly endByte: number | null;
  readonly position: SplitPosition;
  /** Of a followed file: what recognises it under whatever name, so that another one that has it is not read in its place. */
  readonly prefix?: SplitPrefix;
  /** Of one that only its key recognises: see FileStatus, in decimal. */
  readonly fileKey?: string;
  /** See FileStatus, in decimal; absent where nothing is done to files that were read, and in older checkpoints. */
  readonly birthKey?: string;
  /** The newest event time of the rows taken, milliseconds since 1970; absent where there is none. */
  readonly newestEventMs?: number;
  /** Something of it is in no output but in part: its file must not be tidied up. */
  readonly incomplete?: true;
  /** Up to `position`; absent where nothing was read yet, and in checkpoints of before it was counted. */
  readonly tally?: SplitTally;
}

/** How the reading of a split ended. Plain JSON. */
export interface SplitOutcome {
  /** With its position at the end. */
  readonly split: Split;
  /**
   * read: to the end · missing: the file was gone when it was opened · changed: size or mtime were not, or no longer,
   * those of the split. Where `split.position` then stands at the split's start, nothing of it was read.
   */
  readonly kind: 'read' | 'missing' | 'changed';
}

/** Where the reading of a range begins. */
export function startPosition(startByte: number): SplitPosition {
  return { offset: startByte, state: null, records: 0 };
}

/** Whether not one byte of the split was taken yet. */
export function isUntouched(split: Split): boolean {
  return split.position.records === 0 && split.position.offset === split.startByte;
}

/**
 * Whether all that a range owns was read: a checkpoint may fall between its last row and its end. What became of its file
 * since is nobody's loss.
 */
export function isReadToEnd({ compression, endByte, position }: Split): boolean {
  return compression === 'none' && endByte !== null && position.offset >= endByte;
}

/** Bytes left to read; the size on storage where the file is compressed. For progress, not for logic. */
export function remainingBytes(split: Split): number {
  if (split.compression !== 'none' && split.compression !== null) return split.sizeBytes;
  return Math.max(0, (split.endByte ?? split.sizeBytes) - split.position.offset);
}

/**
 * Checks what comes out of a checkpoint.
 * @throws SluiceError STATE_CORRUPT
 */
export function checkSplit(value: unknown): Split {
  const split = value as Split;
  const whole = (n: unknown): boolean => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  const position = split?.position;
  const valid =
    typeof split === 'object' &&
    split !== null &&
    typeof split.id === 'string' &&
    typeof split.fileId === 'string' &&
    typeof split.path === 'string' &&
    whole(split.sizeBytes) &&
    /^-?\d{1,20}$/.test(String(split.modifiedNs)) &&
    (split.identity === undefined || /^-?\d{1,20}$/.test(String(split.identity))) &&
    (split.compression === null || COMPRESSIONS.includes(split.compression)) &&
    whole(split.startByte) &&
    (split.endByte === null || whole(split.endByte)) &&
    (split.prefix === undefined ||
      (whole(split.prefix.bytes) &&
        /^\d{1,20}$/.test(String(split.prefix.fingerprint)) &&
        /^\d{1,20}$/.test(String(split.prefix.fileKey)))) &&
    (split.fileKey === undefined || /^\d{1,20}$/.test(String(split.fileKey))) &&
    (split.birthKey === undefined || /^\d{1,20}$/.test(String(split.birthKey))) &&
    typeof position === 'object' &&
    position !== null &&
    whole(position.offset) &&
    whole(position.records) &&
    (position.line === undefined || whole(position.line)) &&
    typeof position.state === 'object';
  if (valid) return split;
  throw new SluiceError('STATE_CORRUPT', `not a split: ${JSON.stringify(value)?.slice(0, 200)}`);
}
