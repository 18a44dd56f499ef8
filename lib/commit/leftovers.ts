/**
 * Hidden files that dead runs of a job left in the lake and that no retained checkpoint can need: written after its
 * last checkpoint, or superseded. Flink leaves them for ever (FLINK-10963).
 */
import { hiddenPartRun } from '../sink/part-name.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import { markerRun } from './lake-marker.ts';

/**
 * Removes them. Anything not named like a hidden part of this job is never touched, nor are those of the present run.
 * @param needed checkpoints that recovery could start from
 * @returns the paths removed
 */
export async function removeLeftovers(
  fileSystem: FileSystem,
  folders: readonly string[],
  jobName: string,
  jobId: string,
  runId: string,
  needed: readonly Checkpoint[],
): Promise<string[]> {
  const keep = new Set<string>();
  for (const checkpoint of needed) {
    for (const { file } of checkpoint.committables) keep.add(file.hiddenPath);
    for (const { sink } of checkpoint.subtasks) {
      for (const part of sink.openParts) if (part.file !== null) keep.add(part.file.hiddenPath);
    }
  }
  const isLeftover = (file: string): boolean => {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const run = hiddenPartRun(name, jobId) ?? markerRun(name, jobName);
    return run !== null && run !== runId;
  };
  const removed: string[] = [];
  for (const folder of folders) {
    if ((await fileSystem.stat(folder)) === null) continue;
    for await (const files of fileSystem.list(folder, { enterFolder: () => true, wantFile: isLeftover })) {
      for (const { path } of files)
        if (!keep.has(path) && (await fileSystem.remove(path))) removed.push(path);
    }
  }
  return removed;
}
