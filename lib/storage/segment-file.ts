/** Files of the state folder that a checkpoint names: each is written once, under a name that is never used again. */
import { crc32 } from 'node:zlib';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem } from './file-system.ts';

/** One that is read back whole. Plain JSON. */
export interface SegmentPiece {
  readonly segment: string;
  readonly lengthBytes: number;
  readonly crc32: number;
}

/** Durably. @throws SluiceError FENCED where the name is taken: names hold the run that makes them */
export async function writeSegment(
  fileSystem: FileSystem,
  folder: string,
  segment: string,
  bytes: Uint8Array,
): Promise<void> {
  if (await fileSystem.createExclusive(`${folder}/${segment}`, bytes)) return;
  throw new SluiceError(
    'FENCED',
    `the segment ${segment} exists already: another process writes this job's state`,
  );
}

/** {@link writeSegment}, of one that is read back whole. @throws SluiceError FENCED */
export async function writeWholeSegment(
  fileSystem: FileSystem,
  folder: string,
  segment: string,
  bytes: Uint8Array,
): Promise<SegmentPiece> {
  await writeSegment(fileSystem, folder, segment, bytes);
  return { segment, lengthBytes: bytes.length, crc32: crc32(bytes) };
}

/** @throws SluiceError STATE_CORRUPT where it is not what was written, with what it holds and what to do */
export async function readWholeSegment(
  fileSystem: FileSystem,
  folder: string,
  { segment, lengthBytes, crc32: expected }: SegmentPiece,
  { holds, hint }: { readonly holds: string; readonly hint: string },
): Promise<Uint8Array> {
  const bytes = await fileSystem.readFile(`${folder}/${segment}`);
  if (bytes !== null && bytes.length === lengthBytes && crc32(bytes) === expected) return bytes;
  const why = bytes === null ? 'missing' : 'damaged';
  throw new SluiceError('STATE_CORRUPT', `the segment ${segment} is ${why}: it holds ${holds}`, { hint });
}
