/**
 * Small files: asking for one, and opening it, takes longer than reading it. So they are handed out by the dozen, and the
 * next ones are read while one is decoded (files-ahead.ts).
 */
import type { Split } from './split.ts';

const SMALL_BYTES = 1024 * 1024;
/** What a subtask is given at most beside the split that it asked for. */
const MAX_AHEAD = 32;
const MAX_AHEAD_BYTES = 4 * 1024 * 1024;

/** Whether a split is a whole small file. Of one that is followed, what was taken is proven at every read. */
export function isSmallFile({ prefix, sizeBytes, startByte, endByte }: Split): boolean {
  return prefix === undefined && startByte === 0 && endByte === null && sizeBytes <= SMALL_BYTES;
}

/**
 * Takes the small ones that come behind a split, for the same subtask; none where it is not a small file itself.
 * @param pending splits in their order; those taken are removed
 * @param share of all that is left that one subtask may have: towards the end of the input fewer are taken at once, so
 *   that no subtask has nothing to do while another has many
 * @param isWhole whether a split is read as one
 * @param more makes the next file pending, or passes over it; false where none can be taken now
 */
export function takeSmallBehind(
  first: Split,
  pending: Split[],
  share: number,
  isWhole: (split: Split) => boolean,
  more: () => boolean,
): readonly Split[] {
  const small: Split[] = [];
  const most = isSmallFile(first) ? Math.min(MAX_AHEAD, share) : 0;
  for (let bytes = first.sizeBytes; small.length < most; ) {
    const next = pending[0];
    if (next === undefined) {
      if (!more()) break;
      continue;
    }
    bytes += next.sizeBytes;
    if (!isSmallFile(next) || !isWhole(next) || bytes > MAX_AHEAD_BYTES) break;
    pending.shift();
    small.push(next);
  }
  return small;
}
