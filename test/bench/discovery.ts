/** `npm run bench discovery`: how the cost of finding files grows with their number, 10,000 to 1,000,000. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'rolldown';
import { plot } from './plot.ts';

const PROCESS = fileURLToPath(new URL('discovery-process.ts', import.meta.url));
const FOLDERS = 1000;
const COUNTS = [10_000, 100_000, 1_000_000];
/** Files made at once. */
const CONCURRENCY = 64;

interface Measured {
  readonly first: { files: number; ms: number; cpuMs: number; firstFileMs: number; checkpointBytes: number };
  readonly idle: { ms: number; cpuMs: number; checkpointBytes: number };
  readonly grown: { files: number; checkpointBytes: number };
  readonly rssMb: number;
}

/**
 * Prints a table and leaves discovery.json and discovery.svg.
 * @param most the largest number of files to measure with
 * @param folder where the results go
 */
export async function benchDiscovery(most: number, folder: string): Promise<void> {
  const results: Measured[] = [];
  // As the program is built: what runs TypeScript takes 70 MB of its own.
  const bundle = path.join(tmpdir(), 'sluice-bench', 'discovery-process.mjs');
  await build({ input: PROCESS, platform: 'node', logLevel: 'silent', output: { file: bundle } });
  for (const files of COUNTS.filter((count) => count <= most)) {
    const tree = await treeOf(files);
    const fresh = path.join(tree, 'fresh');
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [bundle, tree, fresh]);
      results.push(JSON.parse(stdout) as Measured);
    } finally {
      // A million inodes are too many to leave behind. Folder by folder: Node's rm holds all their names at once.
      for (let at = 0; at < FOLDERS; at++) await rm(path.join(tree, String(at)), { recursive: true });
      await rm(tree, { recursive: true });
    }
  }
  console.log(discoveryTable(results));
  const machine = { node: process.version, cores: availableParallelism(), load: loadavg()[0] };
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, 'discovery.json'),
    `${JSON.stringify({ bench: 'discovery', machine, results }, null, 2)}\n`,
  );
  await writeFile(path.join(folder, 'discovery.svg'), discoveryPlot(results));
}

function discoveryPlot(results: readonly Measured[]): string {
  const series = (what: string, y: (measured: Measured) => number) => ({
    of: 'files',
    what,
    points: results.map((measured) => ({ x: measured.first.files, y: y(measured) })),
  });
  return plot(
    [
      series('CPU seconds of a first scan', ({ first }) => first.cpuMs / 1000),
      series('CPU seconds of a scan with nothing new', ({ idle }) => idle.cpuMs / 1000),
      series('Peak RSS in MB', ({ rssMb }) => rssMb),
      series('Checkpoint bytes with 10 new files', ({ grown }) => grown.checkpointBytes),
    ],
    'Finding files',
  );
}

function discoveryTable(results: readonly Measured[]): string {
  const head =
    'files     first scan s   first scan CPU s   first file ms   scan s   scan CPU s   peak RSS MB   checkpoint bytes: all, nothing new, 10 new';
  const rows = results.map(({ first, idle, grown, rssMb }) =>
    [
      String(first.files).padEnd(9),
      (first.ms / 1000).toFixed(2).padStart(12),
      (first.cpuMs / 1000).toFixed(2).padStart(18),
      first.firstFileMs.toFixed(0).padStart(15),
      (idle.ms / 1000).toFixed(2).padStart(8),
      (idle.cpuMs / 1000).toFixed(2).padStart(12),
      rssMb.toFixed(0).padStart(13),
      `  ${first.checkpointBytes}, ${idle.checkpointBytes}, ${grown.checkpointBytes}`,
    ].join(' '),
  );
  return [head, ...rows].join('\n');
}

/** A tree of small files in 1,000 folders. */
async function treeOf(files: number): Promise<string> {
  const folder = path.join(tmpdir(), 'sluice-bench', `files-${files}`);
  await rm(folder, { recursive: true, force: true });
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
