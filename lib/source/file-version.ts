/** Whether a file is still the one that was listed. */
import { SluiceError } from '../core/errors.ts';
import type { FileStatus, FileSystem, FileVersion } from '../storage/file-system.ts';
import { type FileRanges, openRanges } from './file-ranges.ts';
import { fingerprint } from './fingerprint.ts';
import type { ModifiedPolicy } from './modification.ts';
import { isUntouched, type Split, type SplitOutcome, type SplitPrefix } from './split.ts';

/**
 * Compares size and version with those of the split. A file that is followed may have grown: the split ends before what
 * was added.
 * @throws SluiceError FILE_MODIFIED where it changed and the policy is fail
 */
export async function checkVersion(
  fileSystem: FileSystem,
  split: Split,
  policy: ModifiedPolicy,
): Promise<SplitOutcome['kind']> {
  if (split.prefix !== undefined) return checkPrefix(fileSystem, split, split.prefix);
  const status = await fileSystem.stat(split.path);
  if (status === null || status.isFolder) return 'missing';
  if (status.sizeBytes === split.sizeBytes && isVersion(status, split)) return 'read';
  if (policy === 'append' && split.endByte !== null && status.sizeBytes >= split.endByte) return 'read';
  if (policy === 'fail') throw modifiedError(split.path);
  return 'changed';
}

/** Of a followed file, which may have grown: whether what was taken of it stands there. */
async function checkPrefix(
  fileSystem: FileSystem,
  { path, sizeBytes }: Split,
  prefix: SplitPrefix,
): Promise<SplitOutcome['kind']> {
  let ranges: FileRanges | null = null;
  try {
    ranges = await openRanges(fileSystem, path, { sizeBytes });
    return String(await fingerprint(ranges, prefix.bytes)) === prefix.fingerprint ? 'read' : 'changed';
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code === 'NOT_FOUND') return 'missing';
    throw error;
  } finally {
    await ranges?.close();
  }
}

/**
 * The same before and after reading, where the reading itself does not prove it: of a version of an object, of a followed
 * file, of one that was read whole beforehand (`isHeld`).
 */
export async function proveVersion(
  fileSystem: FileSystem,
  split: Split,
  policy: ModifiedPolicy,
  isHeld: boolean,
): Promise<SplitOutcome['kind']> {
  const isProven = isHeld || split.identity !== undefined || split.prefix !== undefined;
  return isProven ? 'read' : checkVersion(fileSystem, split, policy);
}

/** How a split ends whose file the storage does not give; null where that stops the job. */
export function unreadOutcome(error: SluiceError, policy: ModifiedPolicy): 'missing' | 'changed' | null {
  if (error.code === 'NOT_FOUND') return 'missing';
  return error.code === 'FILE_MODIFIED' && policy !== 'fail' ? 'changed' : null;
}

function isVersion(status: FileStatus, split: Split): boolean {
  const { identity, modifiedNs } = split;
  if (identity !== undefined) return String(status.identity) === identity;
  // One that has come in its place before a byte was read is taken as what it is. Later, and where other ranges of the file
  // may have been read, the rest of the rows counts more.
  const isWhole = split.startByte === 0 && split.endByte === null;
  if (isWhole && isUntouched(split) && isAnother(status, split)) return false;
  return String(status.modifiedNs) === modifiedNs;
}

/** Whether a file of the same name is known to be another one than that of which this was remembered. */
export function isAnother(
  { birthKey: now }: FileStatus,
  { birthKey }: { readonly birthKey?: string },
): boolean {
  return birthKey !== undefined && now !== undefined && String(now) !== birthKey;
}

/** What tells versions of a file of one size apart: what the storage says, otherwise its modification time. */
export function versionOf({ identity, modifiedNs }: FileStatus): bigint {
  return identity ?? modifiedNs;
}

/** A file, or a split of it, as the storage is asked for it. */
export function fileVersion(file: {
  readonly sizeBytes: number;
  readonly identity?: bigint | string;
}): FileVersion {
  const { sizeBytes, identity } = file;
  return identity === undefined ? { sizeBytes } : { sizeBytes, identity: BigInt(identity) };
}

/** The error of `modified: fail`. */
export function modifiedError(path: string, why = 'the policy is modified: fail'): SluiceError {
  return new SluiceError('FILE_MODIFIED', `${path} changed after it was taken, and ${why}`, {
    hint: 'write files elsewhere and rename them in when they are whole, or choose ignore, reread or append',
    details: { path },
  });
}
