/** Small files, whole. */
import { closeSync, constants, fstatSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { FileStatus } from '../file-system.ts';
import { errorCode, storageError } from './errors.ts';
import { withBirthKey } from './file-keys.ts';

const openFile = promisify(open);
const readInto = promisify(read);
/** What has become a pipe since is not waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * See FileSystem.readVersion. Only what may wait for the disk goes through the thread pool, and no FileHandle is made:
 * 0.06 ms of CPU a file instead of 0.15.
 */
export async function readLocalVersion(file: FileStatus): Promise<Uint8Array | null> {
  const { path, sizeBytes, modifiedNs, birthKey } = file;
  const bytes = new Uint8Array(sizeBytes);
  try {
    const fd = await openFile(path, READ);
    try {
      for (let at = 0; at < sizeBytes; ) {
        const { bytesRead } = await readInto(fd, bytes, at, sizeBytes - at, at);
        if (bytesRead === 0) return null;
        at += bytesRead;
      }
      const status = fstatSync(fd, { bigint: true });
      if (birthKey !== undefined && withBirthKey(status).birthKey !== birthKey) return null;
      return status.size === BigInt(sizeBytes) && status.mtimeNs === modifiedNs ? bytes : null;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw storageError(`cannot read ${path}`, error);
  }
}
