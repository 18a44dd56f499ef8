/**
 * The folders that the runs of a benchmark work in: emptied behind each run, and removed with the end of the process. ext4
 * without a journal looks at each inode that was deleted in the last minutes before it takes another one, so that a run
 * would pay for the removal of the run before: 4,000 files written and synced took 0.39 to 0.58 s, and 1.7 to 2.3 s behind
 * as many removed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FOLDER = mkdtempSync(path.join(tmpdir(), 'sluice-bench-run-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

export function makeRunFolder(): Promise<string> {
  return mkdtemp(path.join(FOLDER, 'run-'));
}

/** Gives the blocks of its files back, and keeps their names. */
export async function emptyRunFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // One that cannot be emptied takes its room until the end, and must not hide why a run failed.
    if (entry.isFile()) await truncate(path.join(entry.parentPath, entry.name)).catch(() => {});
  }
}
