import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Files below a folder that readers see, relative to it, sorted; none where there is no folder. */
export async function visibleFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && !/^[._]/.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
