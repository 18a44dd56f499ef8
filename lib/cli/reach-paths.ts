/** Whether a job's paths can be used, found out without leaving anything behind. */
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { Ids } from '../core/ids.ts';
import { isS3Location, joinLocation, parentLocation } from '../core/location.ts';
import type { SourceRoot } from '../source/file-selector.ts';
import type { FileSystem } from '../storage/file-system.ts';

/** More files than this are not counted: a check is to be quick. */
const MAX_COUNTED = 100_000;

export interface SourceSurvey {
  readonly files: number;
  readonly bytes: number;
  /** Whether there are more. */
  readonly more: boolean;
}

/**
 * Lists the source and opens one of its files.
 * @throws SluiceError NOT_FOUND, ACCESS_DENIED, LISTING_FAILED
 */
export async function surveySource(
  roots: readonly SourceRoot[],
  fileSystem: FileSystem,
): Promise<SourceSurvey> {
  let files = 0;
  let bytes = 0;
  for (const root of roots) {
    for await (const piece of fileSystem.list(root.folder, root.options)) {
      const [first] = piece;
      if (files === 0 && first !== undefined) await readOneByte(first.path, fileSystem);
      for (const file of piece) bytes += file.sizeBytes;
      files += piece.length;
      if (files >= MAX_COUNTED) return { files, bytes, more: true };
    }
  }
  return { files, bytes, more: false };
}

async function readOneByte(file: string, fileSystem: FileSystem): Promise<void> {
  const source = await fileSystem.open(file, 0);
  try {
    await source.read(new Uint8Array(1));
  } finally {
    await source.close();
  }
}

/**
 * Makes and removes a file where sink, staging and state will be; where a folder is still missing, in the nearest one
 * above it.
 * @throws SluiceError ACCESS_DENIED, DISK_FULL, STORAGE_FAILED; NOT_FOUND where a file stands in a folder's place
 */
export async function proveWritable(job: CompiledJob, fileSystem: FileSystem, ids: Ids): Promise<void> {
  const { sink } = job;
  const folders: [string, string][] = [
    ['sink.path', sink.path],
    ['state', job.statePath],
    ...(sink.staging === null ? [] : [['sink.staging', sink.staging] satisfies [string, string]]),
  ];
  for (const [option, folder] of folders) {
    const existing = await nearestFolder(option, folder, fileSystem);
    const probe = joinLocation(existing, `.sluice-check-${ids.hex(8)}`);
    await fileSystem.createExclusive(probe, new Uint8Array(0));
    await fileSystem.remove(probe);
  }
  await fileSystem.proveConditionalWrites?.(job.statePath);
  if (sink.staging !== null && !isS3Location(sink.path))
    await proveSameDevice(sink.path, sink.staging, fileSystem);
}

async function nearestFolder(option: string, folder: string, fileSystem: FileSystem): Promise<string> {
  for (let at = folder; ; at = parentLocation(at)) {
    const status = await fileSystem.stat(at);
    if (status?.isFolder || (status === null && at === parentLocation(at))) return at;
    if (status !== null) {
      throw new SluiceError('NOT_FOUND', `${option} is ${folder}, and ${at} is a file`, {
        hint: 'expected a folder, or nothing yet',
        details: { option, path: at },
      });
    }
  }
}

/** A part gets its name by a hard link, which does not cross file systems. */
async function proveSameDevice(lake: string, staging: string, fileSystem: FileSystem): Promise<void> {
  const [a, b] = await Promise.all(
    [lake, staging].map(async (folder) =>
      fileSystem.folderIdentity(await nearestFolder('sink', folder, fileSystem)),
    ),
  );
  if (deviceOf(a) !== deviceOf(b)) {
    throw new SluiceError(
      'STORAGE_FAILED',
      `sink.staging (${staging}) is on another file system than sink.path (${lake})`,
      {
        hint: 'move sink.staging to the same file system',
      },
    );
  }
}

function deviceOf(identity: string | null | undefined): string {
  return (identity ?? '').replace(/:[^:]*$/, '');
}
