/** The lists of a lake's parts, as an engine reads them: every file below `_manifest`, a URL a line. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Paths relative to the lake, sorted. @throws Error where one stands twice
 * @param prefix of the lake's URLs
 */
export async function readManifests(lake: string, prefix = `file://${lake}/`): Promise<string[]> {
  const parts: string[] = [];
  const folder = path.join(lake, '_manifest');
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/^manifest-[0-9a-f]{8}$/.test(path.basename(name))) continue;
    const text = await readFile(path.join(folder, name), 'utf8');
    for (const line of text.split('\n').filter(Boolean)) {
      if (!line.startsWith(prefix)) throw new Error(`${name} lists ${line}`);
      parts.push(line.slice(prefix.length));
    }
  }
  if (new Set(parts).size !== parts.length) throw new Error('a part is listed twice');
  return parts.sort();
}
