/**
 * Parts that are gone because somebody meant it: partitions that were dropped, and quarantine parts that were replayed.
 *
 * A partition counts as dropped where a glob of the operator names its folder and everything that was in it at some moment is
 * gone: rows that came later may have made new parts, but a part that is there is never older than one that is not. One part
 * missing among others is a loss, whatever the glob says.
 */
import { droppedFolders } from '../commit/dropped-partitions.ts';
import { nameOf } from '../core/location.ts';
import type { Books, PartBook } from './books.ts';

export interface Dropped {
  /** Below the lake, as the globs name them. */
  readonly folders: readonly string[];
  readonly parts: number;
  readonly rows: number;
}

/**
 * @param lost parts that are neither there nor about to be @param lake its folder @param globs of folders below it
 * @returns which of them are in dropped partitions, and the others
 */
export function takeDropped(
  lost: readonly PartBook[],
  books: Books,
  lake: string,
  globs: readonly string[],
): { readonly dropped: Dropped; readonly rest: readonly PartBook[] } {
  const replayed = replayedParts(books);
  const unexpected = lost.filter(({ quarantine, path }) => !(quarantine && replayed.has(nameOf(path))));
  const gone = new Set(unexpected.map(({ path }) => path));
  const droppedOf = droppedFolders(globs, lake);
  // In the order in which parts were promised.
  const standing = new Set<string>();
  const dropped: PartBook[] = [];
  const folders = new Set<string>();
  const rest: PartBook[] = [];
  for (const part of books.parts.values()) {
    const folder = part.quarantine ? null : droppedOf(part.path);
    if (!gone.has(part.path)) {
      if (folder !== null) standing.add(folder);
    } else if (folder === null || standing.has(folder)) rest.push(part);
    else {
      dropped.push(part);
      folders.add(folder);
    }
  }
  const rows = dropped.reduce((sum, part) => sum + (part.rows ?? 0), 0);
  return { dropped: { folders: [...folders].sort(), parts: dropped.length, rows }, rest };
}

/** Names of quarantine parts whose records are rows of the lake by now, or in parts of their own: they may be deleted. */
function replayedParts({ inputs }: Books): ReadonlySet<string> {
  const read = inputs.filter(({ lane, end }) => lane === 'replay' && end === 'read');
  return new Set(read.map(({ path }) => nameOf(path).replace(/\.replay$/, '')));
}
