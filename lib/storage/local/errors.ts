/** Errors of node:fs as SluiceErrors: the one place where they are classified. */
import { type ErrorCode, SluiceError } from '../../core/errors.ts';

const CODES: Readonly<Record<string, { code: ErrorCode; hint: string; retryable: boolean }>> = {
  ENOENT: { code: 'NOT_FOUND', hint: 'check the path', retryable: false },
  ENOTDIR: { code: 'NOT_FOUND', hint: 'a file stands where a folder is expected', retryable: false },
  EACCES: {
    code: 'ACCESS_DENIED',
    hint: 'check the permissions of the user that runs sluice',
    retryable: false,
  },
  EPERM: {
    code: 'ACCESS_DENIED',
    hint: 'check the permissions, and that the file system allows hard links',
    retryable: false,
  },
  EROFS: { code: 'ACCESS_DENIED', hint: 'the file system is mounted read-only', retryable: false },
  ENOSPC: { code: 'DISK_FULL', hint: 'make room and start again: nothing is lost', retryable: true },
  EDQUOT: {
    code: 'DISK_FULL',
    hint: 'raise the quota or make room, and start again: nothing is lost',
    retryable: true,
  },
  EFBIG: {
    code: 'DISK_FULL',
    hint: 'raise the limit of file sizes (ulimit -f) or make parts smaller, and start again: nothing is lost',
    retryable: false,
  },
  EXDEV: {
    code: 'STORAGE_FAILED',
    hint: 'sink.staging has to be on the same file system as sink.path',
    retryable: false,
  },
  ENAMETOOLONG: { code: 'STORAGE_FAILED', hint: 'shorten the path or the bucket pattern', retryable: false },
  EMFILE: { code: 'STORAGE_FAILED', hint: 'raise the limit of open files (ulimit -n)', retryable: true },
  ENFILE: { code: 'STORAGE_FAILED', hint: 'raise the limit of open files of the machine', retryable: true },
  EIO: { code: 'STORAGE_FAILED', hint: 'the disk reports an error: look at the system log', retryable: true },
};

/** Wraps what a call of node:fs threw. `what` says what was tried, on which path: `cannot open /data/a.csv`. */
export function storageError(what: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const errno = errorCode(thrown);
  const kind = CODES[errno] ?? { code: 'STORAGE_FAILED', hint: 'see the cause', retryable: true };
  const why =
    thrown instanceof Error
      ? thrown.message.replace(/^[A-Z]+: /, '').replace(/, \w+ '.*$/, '')
      : String(thrown);
  return new SluiceError(kind.code, `${what}: ${why}${errno === '' ? '' : ` (${errno})`}`, {
    hint: kind.hint,
    retryable: kind.retryable,
    cause: thrown,
  });
}

/** The errno name of an error of node:fs, or ''. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
