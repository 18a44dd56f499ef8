/** Whether a file is still the one that was listed. */
import { SluiceError } from '../core/errors.ts';
import type { FileStatus, FileSystem, FileVersion } from '../storage/file-system.ts';
import type { ModifiedPolicy } from './modification.ts';
import type { Split, SplitOutcome } from './split.ts';

/**
 * Compares size and version with those of the split. Under `append` a file may have grown: the split ends before what was
 * added.
 * @throws SluiceError FILE_MODIFIED where it changed and the policy is fail
 */
export async function checkVersion(
  fileSystem: FileSystem,
  split: Split,
  policy: ModifiedPolicy,
): Promise<SplitOutcome['kind']> {
  const status = await fileSystem.stat(split.path);
  if (status === null || status.isFolder) return 'missing';
  if (status.sizeBytes === split.sizeBytes && isVersion(status, split)) return 'read';
  if (policy === 'append' && split.endByte !== null && status.sizeBytes >= split.endByte) return 'read';
  if (policy === 'fail') throw modifiedError(split.path);
  return 'changed';
}

/** The same before and after reading, where a storage that reads a version proves by itself that it is that one. */
export async function proveVersion(...call: Parameters<typeof checkVersion>): Promise<SplitOutcome['kind']> {
  return call[1].identity === undefined ? checkVersion(...call) : 'read';
}

/** How a split ends whose file the storage does not give; null where that stops the job. */
export function unreadOutcome(error: SluiceError, policy: ModifiedPolicy): 'missing' | 'changed' | null {
  if (error.code === 'NOT_FOUND') return 'missing';
  return error.code === 'FILE_MODIFIED' && policy !== 'fail' ? 'changed' : null;
}

function isVersion(status: FileStatus, { identity, modifiedNs }: Split): boolean {
  if (identity !== undefined) return String(status.identity) === identity;
  return String(status.modifiedNs) === modifiedNs;
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
export function modifiedError(path: string): SluiceError {
  return new SluiceError(
    'FILE_MODIFIED',
    `${path} changed after it was taken, and the policy is modified: fail`,
    {
      hint: 'write files elsewhere and rename them in when they are whole, or choose ignore, reread or append',
      details: { path },
    },
  );
}
