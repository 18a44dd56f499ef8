/** `npm run bench discovery`: how the cost of finding files grows with their number, 10,000 to 1,000,000. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROCESS = fileURLToPath(new URL('discovery-process.ts', import.meta.url));
const FOLDERS = 1000;
const COUNTS = [10_000, 100_000, 1_000_000];
/** Files made at once. */
const CONCURRENCY = 64;

interface Measured {
  readonly first: { files: number; ms: number; firstFileMs: number; checkpointBytes: number };
  readonly idle: { ms: number; cpuMs: number; checkpointBytes: number };
  readonly grown: { files: number; checkpointBytes: number };
  readonly rssMb: number;
}

/** @param most the largest number of files to measure with */
export async function benchDiscovery(most: number): Promise<readonly Measured[]> {
  const results: Measured[] = [];
  for (const files of COUNTS.filter((count) => count <= most)) {
    const folder = await treeOf(files);
    const fresh = path.join(folder, 'fresh');
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        PROCESS,
        folder,
        fresh,
      ]);
      results.push(JSON.parse(stdout) as Measured);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return results;
}

export function discoveryTable(results: readonly Measured[]): string {
  const head =
    'files     first scan s   first file ms   scan s   scan CPU s   peak RSS MB   checkpoint bytes: all, nothing new, 10 new';
  const rows = results.map(({ first, idle, grown, rssMb }) =>
    [
      String(first.files).padEnd(9),
      (first.ms / 1000).toFixed(2).padStart(12),
      first.firstFileMs.toFixed(0).padStart(15),
      (idle.ms / 1000).toFixed(2).padStart(8),
      (idle.cpuMs / 1000).toFixed(2).padStart(12),
      rssMb.toFixed(0).padStart(13),
      `  ${first.checkpointBytes}, ${idle.checkpointBytes}, ${grown.checkpointBytes}`,
    ].join(' '),
  );
  return [head, ...rows].join('\n');
}

/** A tree of small files in 1,000 folders, made once and kept for the next time. */
async function treeOf(files: number): Promise<string> {
  const folder = path.join(tmpdir(), 'sluice-bench', `files-${files}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  for (let at = 0; at < FOLDERS; at++) await mkdir(path.join(making, String(at)), { recursive: true });
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let file = next++; file < files; file = next++)
        await writeFile(path.join(making, String(file % FOLDERS), `events-${file}.ndjson`), '{}\n');
    }),
  );
  await rename(making, folder);
  return folder;
}
