/**
 * `sluice replay`: quarantined records go through the present job once more.
 *
 *     settle   a run without input closes and commits what an earlier run left open
 *     stage    each quarantine part becomes a replay file in the state folder
 *     run      the job reads these instead of its source, in a lane of its own (lib/commit/lanes.ts)
 *     mark     parts whose records were all read move to `<quarantine>/_replayed`
 *
 * A replay file has its part's name and is written once, so the table of known files, which is in the checkpoint, tells
 * for good whether a part was replayed. A crash anywhere leads back to the first step, and none of them does a thing twice.
 * What still does not fit is quarantined again, in a new part, with its first place of origin.
 */
import { CheckpointStore } from '../commit/checkpoint-store.ts';
import { laneOf } from '../commit/lanes.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import { nameOf } from '../core/location.ts';
import type { QuarantineSpec } from '../core/specs.ts';
import { isPartName } from '../sink/part-name.ts';
import { KnownFiles } from '../source/known-files.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { runJob } from './job-runner.ts';
import type { JobSummary } from './progress.ts';
import { isQuarantinePart, readQuarantinePart } from './quarantine-reader.ts';
import { readDiscovery } from './recovery.ts';
import type { RunOptions } from './run-options.ts';

/** Readers of the quarantine skip it. */
export const REPLAYED_FOLDER = '_replayed';

/** Of one replay. Snake case: this is what `--json` prints. */
export interface ReplaySummary extends JobSummary {
  /** Quarantine parts whose records were all read. */
  readonly parts_replayed: number;
  /** Records that were kept in part only, and so cannot be read again: they stay with their parts. */
  readonly incomplete: number;
}

/** @throws SluiceError JOB_INVALID where the job has no quarantine; what runJob throws */
export async function replayJob(
  job: CompiledJob,
  fileSystem: FileSystem,
  options: Omit<RunOptions, 'mode' | 'replay'>,
): Promise<ReplaySummary> {
  const { quarantine } = job;
  if (quarantine === null) {
    throw new SluiceError('JOB_INVALID', `job '${job.name}' has no quarantine: there is nothing to replay`, {
      hint: 'replay reads what on_bad_record: quarantine wrote to quarantine.path',
    });
  }
  const folder = `${job.statePath}/replay`;
  await fileSystem.makeFolder(folder);
  const run = (replay: string | null) =>
    runJob(job, { ...options, mode: 'once', replay: { folder: replay } });
  const settled = await run(null);
  await markReplayed(job, quarantine, folder, fileSystem);
  const incomplete = await stage(job, quarantine, folder, fileSystem);
  const summary = settled.stopped ? settled : await run(folder);
  const parts = await markReplayed(job, quarantine, folder, fileSystem);
  return { ...summary, parts_replayed: parts, incomplete };
}

/** Makes a replay file of each quarantine part. @returns how many records cannot be replayed */
async function stage(
  job: CompiledJob,
  spec: QuarantineSpec,
  folder: string,
  fileSystem: FileSystem,
): Promise<number> {
  const newest = await new CheckpointStore(fileSystem, job.statePath).load();
  if (newest === null) return 0;
  let incomplete = 0;
  for (const path of await quarantineParts(spec.path, newest.jobId, fileSystem)) {
    const records = await readQuarantinePart(path, fileSystem);
    const whole = records.filter((record) => record.complete);
    incomplete += records.length - whole.length;
    const lines = whole.map(({ file, offset, line, record, state }) =>
      JSON.stringify({ file, offset, line, record: Buffer.from(record).toString('base64'), state }),
    );
    // There already: a replay before this one was interrupted.
    await fileSystem.createExclusive(replayFile(folder, path), Buffer.from(`${lines.join('\n')}\n`));
  }
  return incomplete;
}

/** Moves parts aside whose replay files were read to their ends. @returns how many */
async function markReplayed(
  job: CompiledJob,
  spec: QuarantineSpec,
  folder: string,
  fileSystem: FileSystem,
): Promise<number> {
  const store = new CheckpointStore(fileSystem, job.statePath);
  const newest = await store.load();
  if (newest === null) return 0;
  const { enumerator, discovery } = laneOf(newest, 'replay');
  const known = new KnownFiles();
  for (const piece of await readDiscovery(fileSystem, store.segmentsFolder, discovery)) known.apply(piece);
  const open = new Set(enumerator?.splits.map((split) => split.path));
  let marked = 0;
  for (const path of await quarantineParts(spec.path, newest.jobId, fileSystem)) {
    const staged = replayFile(folder, path);
    if (known.find(staged) === -1 || open.has(staged)) continue;
    const bytes = await fileSystem.readFile(path);
    // Copied before it is removed; a crash in between leaves both, and the next replay removes the one.
    if (bytes !== null)
      await fileSystem.createExclusive(
        `${spec.path}/${REPLAYED_FOLDER}/${path.slice(spec.path.length + 1)}`,
        bytes,
      );
    await fileSystem.remove(path);
    // Last: as long as there is the part, its replay file says that it was read.
    await fileSystem.remove(staged);
    marked++;
  }
  return marked;
}

function replayFile(folder: string, part: string): string {
  return `${folder}/${nameOf(part)}.replay`;
}

/** Those of this job: others may have their quarantine in the same folder. */
async function quarantineParts(folder: string, jobId: string, fileSystem: FileSystem): Promise<string[]> {
  if ((await fileSystem.stat(folder)) === null) return [];
  const parts: string[] = [];
  const wantFile = (name: string) => isQuarantinePart(name) && isPartName(name, jobId);
  for await (const files of fileSystem.list(folder, { enterFolder: () => false, wantFile }))
    parts.push(...files.map(({ path }) => path));
  return parts.sort();
}
