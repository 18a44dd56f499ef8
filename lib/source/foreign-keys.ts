/**
 * Birth keys tell files apart within a folder that stayed where it is. On another disk, copied there or brought back from a
 * backup, every file has another key and is the same to us: path, size and time of change say so. So at a start the keys of
 * folders that are not the ones they were are forgotten.
 */
import type { FileSystem } from '../storage/file-system.ts';
import type { RestoredEnumerator } from './enumerator-options.ts';
import type { RealmState } from './realms.ts';

/** Gives back what a checkpoint holds of a file, without the key where that says nothing now. */
export type CheckKey = <T extends KeyedFile>(file: T) => T;

interface KeyedFile {
  readonly path: string;
  readonly birthKey?: string;
}

/** @param realms of the checkpoint */
export async function compareFolders(
  fileSystem: FileSystem,
  realms: readonly RealmState[],
): Promise<CheckKey> {
  const isSame = new Map<string, boolean>();
  for (const { folder } of realms) {
    if (isSame.has(folder)) continue;
    // The scan tells what is wrong with a folder that cannot be looked at.
    const now = await fileSystem.folderIdentity(folder).catch(() => null);
    isSame.set(
      folder,
      realms.some(({ folder: other, identity }) => other === folder && identity === now),
    );
  }
  return (file) => {
    if (file.birthKey === undefined) return file;
    let nearest = '';
    for (const folder of isSame.keys())
      if (folder.length > nearest.length && (folder === '/' || file.path.startsWith(`${folder}/`)))
        nearest = folder;
    if (isSame.get(nearest) === true) return file;
    const { birthKey: _, ...rest } = file;
    return rest as typeof file;
  };
}

/** The same of every split. */
export function withCheckedKeys(restored: RestoredEnumerator, checkKey: CheckKey): RestoredEnumerator {
  const { state, splits } = restored;
  return {
    ...restored,
    state: { ...state, splits: state.splits.map(checkKey) },
    splits: splits.map(checkKey),
  };
}
