import { readdir } from 'node:fs/promises';
import path from 'node:path';

export interface LakeFiles {
  /** Paths relative to the lake, `/` between levels: what a reader of the lake believes in. */
  readonly visible: readonly string[];
  /** The rest: a name or a folder on the way begins with `.` or `_`. */
  readonly hidden: readonly string[];
}

/** Every file below the folder; none where the folder is not there. */
export async function listLake(lake: string): Promise<LakeFiles> {
  const visible: string[] = [];
  const hidden: string[] = [];
  const walk = async (folder: string, isHidden: boolean): Promise<void> => {
    for (const entry of await readdir(path.join(lake, folder), { withFileTypes: true })) {
      const below = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const hides = isHidden || entry.name.startsWith('.') || entry.name.startsWith('_');
      if (entry.isDirectory()) await walk(below, hides);
      else (hides ? hidden : visible).push(below);
    }
  };
  try {
    await walk('', false);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return { visible: visible.sort(), hidden: hidden.sort() };
}

/** The bucket a part lies in: its folder, '' for the base path. */
export function bucketOfPart(part: string): string {
  const slash = part.lastIndexOf('/');
  return slash === -1 ? '' : part.slice(0, slash);
}
