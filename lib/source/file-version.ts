/** Whether a file is still the one that was listed. */
import { SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { ModifiedPolicy } from './modification.ts';
import type { Split, SplitOutcome } from './split.ts';

/**
 * Compares size and mtime with those of the split. Under `append` a file may have grown: the split ends before what was
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
  if (status.sizeBytes === split.sizeBytes && String(status.modifiedNs) === split.modifiedNs) return 'read';
  if (policy === 'append' && split.endByte !== null && status.sizeBytes >= split.endByte) return 'read';
  if (policy === 'fail') throw modifiedError(split.path);
  return 'changed';
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
