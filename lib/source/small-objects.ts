/**
 * Small objects: asking the storage for one takes longer than reading it, so they are handed out by the dozen, and the
 * next ones are fetched while one is read. Files on a disk have no identity, and need no time to be opened.
 */
import type { FileSystem } from '../storage/file-system.ts';
import { fileVersion } from './file-version.ts';
import type { Split } from './split.ts';

const SMALL_BYTES = 256 * 1024;
/** What a subtask is given at most beside the split that it asked for. */
const MAX_AHEAD = 32;
const MAX_AHEAD_BYTES = 4 * 1024 * 1024;

function isSmallObject({ identity, sizeBytes, endByte }: Split): boolean {
  return identity !== undefined && endByte === null && sizeBytes <= SMALL_BYTES;
}

/** A split that will be opened soon: its bytes may be on their way by then. */
export function readAhead(fileSystem: FileSystem, split: Split): void {
  if (isSmallObject(split)) fileSystem.readAhead?.(split.path, fileVersion(split));
}

/**
 * Takes the small ones that come behind a split, for the same subtask; none where it is not a small object itself.
 * @param pending splits in their order; those taken are removed
 * @param share of all that is left that one subtask may have: towards the end of the input fewer are taken at once, so
 *   that no subtask has nothing to do while another has many
 * @param more makes the next file pending, or passes over it; false where none can be taken now
 */
export function takeSmallBehind(
  first: Split,
  pending: Split[],
  share: number,
  more: () => boolean,
): readonly Split[] {
  const small: Split[] = [];
  const most = isSmallObject(first) ? Math.min(MAX_AHEAD, share) : 0;
  for (let bytes = first.sizeBytes; small.length < most; ) {
    const next = pending[0];
    if (next === undefined) {
      if (!more()) break;
      continue;
    }
    bytes += next.sizeBytes;
    if (!isSmallObject(next) || bytes > MAX_AHEAD_BYTES) break;
    pending.shift();
    small.push(next);
  }
  return small;
}
