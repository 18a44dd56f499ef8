/** Whether the source files are still those that were read. Files that are gone are no loss: their rows are in the lake. */
import pLimit from 'p-limit';
import type { SourceSpec } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import { type SourceRoot, selectRoots } from '../source/file-selector.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import type { Books, InputBook } from './books.ts';
import type { Finding } from './finding.ts';

const CONCURRENCY = 16;

export interface SourceCheck {
  readonly findings: readonly Finding[];
  /** Source files that were taken. */
  readonly files: number;
  /** Of these, the ones that are not there any more. */
  readonly gone: number;
  /** Of these, the ones that have grown or changed, and that the job will look at again. */
  readonly toBeRead: number;
  /** Paths of files that are there as they were read. */
  readonly intact: ReadonlySet<string>;
}

export async function checkSource(
  books: Books,
  source: SourceSpec,
  fileSystem: FileSystem,
): Promise<SourceCheck> {
  const newest = newestTakes(books.inputs);
  const findings: Finding[] = [];
  const intact = new Set<string>();
  let toBeRead = 0;
  let seen = 0;
  const judge = (file: FileStatus) => {
    const take = newest.get(file.path);
    if (take === undefined) return;
    newest.delete(file.path);
    seen++;
    const change = changeOf(file, take, source);
    if (change === null) intact.add(file.path);
    else if (change === 'to be read') toBeRead++;
    else findings.push({ code: 'source_changed', path: file.path, message: `${file.path} ${change}` });
  };
  // One listing costs less than a look at each file. What the job's present globs leave out is looked at below.
  for (const root of await rootsOf(source, fileSystem))
    for await (const files of fileSystem.list(root.folder, root.options)) files.forEach(judge);
  const limit = pLimit(CONCURRENCY);
  await Promise.all(
    [...newest.keys()].map((path) =>
      limit(async () => {
        const status = await fileSystem.stat(path);
        if (status !== null && !status.isFolder) judge(status);
      }),
    ),
  );
  return { findings, files: seen + newest.size, gone: newest.size, toBeRead, intact };
}

/** By path, the last of the source's takes. */
function newestTakes(inputs: readonly InputBook[]): Map<string, InputBook> {
  const newest = new Map<string, InputBook>();
  for (const input of inputs) {
    if (input.lane !== 'source') continue;
    const before = newest.get(input.path);
    if (before === undefined || Number(input.fileId) >= Number(before.fileId)) newest.set(input.path, input);
  }
  return newest;
}

/** null: it is as it was. */
function changeOf(
  file: FileStatus,
  take: InputBook,
  { modified, onReplaced }: Pick<SourceSpec, 'modified' | 'onReplaced'>,
): string | null {
  const sameSize = file.sizeBytes === take.sizeBytes;
  const sameVersion =
    take.identity === undefined
      ? String(file.modifiedNs) === take.modifiedNs
      : String(file.identity) === take.identity;
  if (sameSize && sameVersion) return null;
  const isShorter = file.sizeBytes < (take.toByte ?? take.sizeBytes);
  // A shorter one was rotated by copytruncate: what it holds is new.
  if (modified === 'reread' || (modified === 'append' && (!isShorter || onReplaced === 'read')))
    return 'to be read';
  return sameSize
    ? 'changed after it was read: it was written to'
    : `changed after it was read: it had ${take.sizeBytes} bytes, and has ${file.sizeBytes}`;
}

/** None where a folder of the source is not there: all its files are gone then. */
async function rootsOf(source: SourceSpec, fileSystem: FileSystem): Promise<SourceRoot[]> {
  try {
    return await selectRoots(source, fileSystem, () => {});
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code === 'NOT_FOUND') return [];
    throw error;
  }
}
