/** Partitions that an operator says were dropped: globs of folders below the lake. */
import picomatch from 'picomatch';
import { isS3Location } from '../core/location.ts';
import { GLOB_OPTIONS } from '../source/file-selector.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { PartEntry } from './ledger/entry.ts';

/** @returns the outermost folder of a path below the lake that a glob names; null: none */
export function droppedFolders(globs: readonly string[], lake: string): (path: string) => string | null {
  const names = globs.map((glob) => glob.replace(/\/+$/, '')).filter((glob) => glob !== '');
  if (names.length === 0) return () => null;
  const isNamed = picomatch(names, GLOB_OPTIONS);
  return (path) => foldersOf(path, lake).find((folder) => isNamed(folder)) ?? null;
}

/** Folders of a part below the lake, the outermost first. */
function foldersOf(path: string, lake: string): string[] {
  const names = path
    .slice(lake.length + 1)
    .split('/')
    .slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

export interface WithoutDropped {
  readonly base: Checkpoint;
  /** Open parts that it had, with the rows that went with them. */
  readonly parts: readonly PartEntry[];
  /** Promised parts, which were in the ledger already. */
  readonly promised: number;
  readonly folders: readonly string[];
}

/**
 * What a start goes on from where partitions with open parts were dropped: without these parts. They count as made, so
 * that the ledger still accounts for every row. Only where such a folder is gone as a whole, hidden files included; and
 * only on a disk: what is hidden in an object store is not in the folder.
 */
export async function withoutDropped(
  base: Checkpoint,
  globs: readonly string[],
  lake: string,
  fileSystem: FileSystem,
): Promise<WithoutDropped> {
  const parts: PartEntry[] = [];
  const folders = new Set<string>();
  if (globs.length === 0 || isS3Location(lake)) return { base, parts, promised: 0, folders: [] };
  const folderOf = droppedFolders(globs, lake);
  const isGone = async (finalPath: string, hiddenPath: string): Promise<boolean> => {
    const folder = folderOf(finalPath);
    if (folder === null || (await fileSystem.stat(`${lake}/${folder}`)) !== null) return false;
    // In a staging folder it may be there still.
    if ((await fileSystem.stat(hiddenPath)) !== null) return false;
    folders.add(folder);
    return true;
  };
  const subtasks = [];
  for (const subtask of base.subtasks) {
    const openParts = [];
    for (const part of subtask.sink.openParts) {
      const { finalPath, file, rows } = part;
      if (file === null || !(await isGone(finalPath, file.hiddenPath))) openParts.push(part);
      else parts.push({ type: 'part', path: finalPath, rows, sizeBytes: file.lengthBytes });
    }
    subtasks.push({ ...subtask, sink: { ...subtask.sink, openParts } });
  }
  // Those are in the ledger since they were promised; of merged parts, the ones that they were made of.
  const committables = [];
  for (const part of base.committables)
    if (!(await isGone(part.file.finalPath, part.file.hiddenPath))) committables.push(part);
  const swaps = [];
  for (const swap of base.compaction?.swaps ?? [])
    if (!(await isGone(swap.file.finalPath, swap.file.hiddenPath))) swaps.push(swap);
  const compaction = base.compaction === undefined ? {} : { compaction: { ...base.compaction, swaps } };
  const promised = base.committables.length - committables.length;
  const left = { ...base, subtasks, committables, ...compaction };
  return { base: left, parts, promised, folders: [...folders].sort() };
}
