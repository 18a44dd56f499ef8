/**
 * `<sink path>/.sluice-<job>.json`: the lake's own memory of which state belongs to it. Without it, a job whose state
 * folder was deleted would begin anew and double every row. Readers skip the name.
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import { isS3Location } from '../core/location.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import { hasVisiblePart } from './lake-table.ts';

/** The id of the job of this name that wrote to the folder; null where none did. */
export async function readLakeMarker(
  fileSystem: FileSystem,
  sinkPath: string,
  jobName: string,
): Promise<string | null> {
  const bytes = await fileSystem.readFile(markerPath(sinkPath, jobName));
  if (bytes === null) return null;
  try {
    const marker: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (typeof marker === 'object' && marker !== null && 'jobId' in marker) return String(marker.jobId);
  } catch {
    // Below: what is there and cannot be read must not count as nothing.
  }
  throw new SluiceError('STATE_CORRUPT', `${markerPath(sinkPath, jobName)} cannot be read`, {
    hint: 'it names the job id that the part files carry: restore it',
  });
}

export async function writeLakeMarker(
  fileSystem: FileSystem,
  sinkPath: string,
  jobName: string,
  jobId: string,
): Promise<void> {
  const text = `${markerText(jobName, jobId)}\n`;
  await fileSystem.createExclusive(markerPath(sinkPath, jobName), Buffer.from(text));
}

/**
 * Holds marker and state against each other before a job starts.
 * @throws SluiceError STATE_MISSING where the lake knows the job and there is no state
 * @throws SluiceError JOB_MISMATCH where the lake belongs to another job of the same name
 */
export function proveLakeMatches(
  markerJobId: string | null,
  stateJobId: string | null,
  sinkPath: string,
  jobName: string,
  statePath: string,
): void {
  if (markerJobId === null || markerJobId === stateJobId) return;
  if (stateJobId === null) {
    throw new SluiceError(
      'STATE_MISSING',
      `job '${jobName}' has written to ${sinkPath} before, and its state in ${statePath} is gone`,
      {
        hint: `restore the state folder; or, to read everything again into a new lake, use another sink.path; or remove ${markerPath(sinkPath, jobName)} if doubled rows are what you want`,
      },
    );
  }
  throw new SluiceError(
    'JOB_MISMATCH',
    `${sinkPath} belongs to another job of the name '${jobName}' (id ${markerJobId}; the state in ${statePath} is of id ${stateJobId})`,
    {
      hint: 'give one of the two jobs another name',
    },
  );
}

/**
 * A job that never ran is one that the lake does not know: for commands that look at it only.
 * @throws SluiceError STATE_MISSING
 */
export async function proveNeverRan(fileSystem: FileSystem, job: CompiledJob): Promise<void> {
  const marker = await readLakeMarker(fileSystem, job.sink.path, job.name);
  proveLakeMatches(marker, null, job.sink.path, job.name, job.statePath);
}

/**
 * Where a lake has no marker: it may be that of a job before markers, or one that expires by age. But one of whose parts not
 * a single one is there is not there: its disk is not mounted, and what is written now would be hidden by it later.
 * @throws SluiceError LAKE_MISSING
 */
export async function proveLakeIsThere(
  fileSystem: FileSystem,
  sinkPath: string,
  jobName: string,
  { jobId, totals }: Pick<Checkpoint, 'jobId' | 'totals'>,
): Promise<void> {
  if (totals.parts === 0 || (await hasVisiblePart(fileSystem, sinkPath, jobId))) return;
  throw new SluiceError(
    'LAKE_MISSING',
    `job '${jobName}' has written ${totals.parts} parts to ${sinkPath}, and nothing of it is there`,
    {
      hint: `mount or restore it. If it was emptied on purpose, make its marker again: ${markerCommand(sinkPath, jobName, jobId)}`,
      details: { path: sinkPath, parts: totals.parts },
    },
  );
}

/**
 * While a job runs, which made its marker: a disk that is unmounted under it leaves a folder to which it would go on writing,
 * and a start behind that would find parts there. Only where files are: no object store goes away and leaves a folder.
 * @throws SluiceError LAKE_MISSING
 */
export async function proveLakeStays(
  fileSystem: FileSystem,
  sinkPath: string,
  jobName: string,
  jobId: string,
): Promise<void> {
  if (isS3Location(sinkPath) || (await fileSystem.stat(markerPath(sinkPath, jobName))) !== null) return;
  // Somebody removed the marker alone. With it, the next look is a short one again.
  if (await hasVisiblePart(fileSystem, sinkPath, jobId))
    return writeLakeMarker(fileSystem, sinkPath, jobName, jobId);
  throw new SluiceError(
    'LAKE_MISSING',
    `${sinkPath} is not the lake any more that job '${jobName}' writes to`,
    {
      hint: 'mount or restore it, and start again: what was read since the last checkpoint is read again, and nothing is lost',
      details: { path: sinkPath },
    },
  );
}

/** Whether a name is that of a job's marker. */
export function isLakeMarker(name: string, jobName: string): boolean {
  return name === `.sluice-${jobName}.json`;
}

/** The run that began to write a job's marker and died, by the name of what it left; null for any other name. */
export function markerRun(name: string, jobName: string): string | null {
  const prefix = `..sluice-${jobName}.json.tmp.`;
  return name.startsWith(prefix) && /^[0-9a-f]+$/.test(name.slice(prefix.length))
    ? name.slice(prefix.length)
    : null;
}

/** For a shell. */
function markerCommand(sinkPath: string, jobName: string, jobId: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const [text, marker] = [markerText(jobName, jobId), markerPath(sinkPath, jobName)].map(quoted);
  return isS3Location(sinkPath)
    ? `echo ${text} | aws s3 cp - ${marker}`
    : `mkdir -p ${quoted(sinkPath)} && echo ${text} > ${marker}`;
}

function markerText(jobName: string, jobId: string): string {
  return JSON.stringify({ version: 1, job: jobName, jobId });
}

function markerPath(sinkPath: string, jobName: string): string {
  return `${sinkPath}/.sluice-${jobName}.json`;
}
