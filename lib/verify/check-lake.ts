/**
 * Whether the folders hold the parts that the books name, and nothing else. The folder is listed first and the books are
 * read after, so that whatever is visible in the listing was promised by a checkpoint that the books know; what looks
 * wrong then is looked at once more, since a job that runs publishes and swaps in the meantime.
 */
import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { isOlderThanLedger } from '../commit/ledger/ledger.ts';
import { replacedFiles } from '../commit/partitions/replaced-files.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { nameOf } from '../core/location.ts';
import type { OutputFormatSpec } from '../core/specs.ts';
import { isQuarantinePart } from '../pipeline/quarantine-reader.ts';
import { REPLAYED_FOLDER } from '../pipeline/replay.ts';
import { isPartName } from '../sink/part-name.ts';
import { QUARANTINE_SCHEMA } from '../sink/quarantine-schema.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { hiddenPaths } from '../storage/recoverable-writer.ts';
import type { Books, PartBook } from './books.ts';
import { countRows } from './count-rows.ts';
import { type Dropped, takeDropped } from './dropped.ts';
import { damagedPart, type Finding } from './finding.ts';

/** Parts looked into at once. */
const CONCURRENCY = 4;

/** Sizes of visible files, by path. */
export type Listing = ReadonlyMap<string, number>;

export interface LakeCheck {
  readonly findings: readonly Finding[];
  /** Parts that are as they should be, and their rows, of the lake and of the quarantine. */
  readonly parts: number;
  readonly rows: number;
  readonly quarantineParts: number;
  /** Promised, and not visible yet. */
  readonly pending: number;
  /** What is gone because it was meant to. */
  readonly dropped: Dropped;
  /** Parts of this job that are older than the ledger. */
  readonly older: number;
  /** Parts of other jobs in the same folder. */
  readonly foreign: number;
}

export interface LakeOptions {
  readonly job: CompiledJob;
  readonly fileSystem: FileSystem;
  /** Of the part files. */
  readonly schema: Schema;
  readonly rereadBooks: () => Promise<Books>;
  /** Globs of partitions that may have been dropped. */
  readonly acceptMissing: readonly string[];
}

/** Every visible file of the lake and of the quarantine. */
export async function listParts(job: CompiledJob, fileSystem: FileSystem): Promise<Listing> {
  const sizes = new Map<string, number>();
  const replaced = new Set(replacedFiles(job));
  const add = async (folder: string, enter: boolean) => {
    if ((await fileSystem.stat(folder)) === null) return;
    const options = {
      enterFolder: (path: string) => enter && isVisible(path),
      wantFile: (path: string) => isVisible(path) && !replaced.has(nameOf(path)),
    };
    for await (const files of fileSystem.list(folder, options))
      for (const { path, sizeBytes } of files) sizes.set(path, sizeBytes);
  };
  await add(job.sink.path, true);
  if (job.quarantine !== null) await add(job.quarantine.path, false);
  return sizes;
}

export async function checkLake(listing: Listing, books: Books, options: LakeOptions): Promise<LakeCheck> {
  const { fileSystem } = options;
  const limit = pLimit(CONCURRENCY);
  const found: { part: PartBook; finding: Finding | null }[] = [];
  let pending = 0;
  const missing: PartBook[] = [];
  await Promise.all(
    [...books.parts.values()].map((part) =>
      limit(async () => {
        const place = await placeOf(part, listing, fileSystem);
        if (place !== null) found.push({ part, finding: await checkPart(part, place, options) });
        else if (await isPromised(part, books, fileSystem)) pending++;
        else missing.push(part);
      }),
    ),
  );
  // Merged into others since the books were read, by a job that runs.
  const gone = found.filter(({ finding }) => finding?.code === 'part_missing').map(({ part }) => part);
  const suspects = [...missing, ...gone];
  const now = suspects.length === 0 ? books : await options.rereadBooks();
  const lost: PartBook[] = [];
  for (const part of suspects)
    if (now.parts.has(part.path) && !(await isPromised(part, now, fileSystem))) lost.push(part);
  const { dropped, rest } = takeDropped(lost, now, options.job.sink.path, options.acceptMissing);
  const good = found.filter(({ finding }) => finding === null).map(({ part }) => part);
  const unknown = await checkUnknown(listing, books, options);
  return {
    findings: [
      ...rest.map(({ path }) => missingPart(path)),
      ...found.flatMap(({ finding }) =>
        finding === null || finding.code === 'part_missing' ? [] : [finding],
      ),
      ...unknown.findings,
    ],
    parts: good.filter(({ quarantine }) => !quarantine).length,
    rows: good.reduce((sum, { quarantine, rows }) => sum + (quarantine ? 0 : (rows ?? 0)), 0),
    quarantineParts: good.filter(({ quarantine }) => quarantine).length,
    pending,
    dropped,
    older: unknown.older,
    foreign: unknown.foreign,
  };
}

interface Place {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Where a part is visible; null: nowhere. Quarantine parts move aside once they are replayed. */
async function placeOf(part: PartBook, listing: Listing, fileSystem: FileSystem): Promise<Place | null> {
  const listed = listing.get(part.path);
  if (listed !== undefined) return { path: part.path, sizeBytes: listed };
  const slash = part.path.lastIndexOf('/');
  const replayed = `${part.path.slice(0, slash)}/${REPLAYED_FOLDER}${part.path.slice(slash)}`;
  for (const path of part.quarantine ? [part.path, replayed] : [part.path]) {
    const status = await fileSystem.stat(path);
    if (status !== null && !status.isFolder) return { path, sizeBytes: status.sizeBytes };
  }
  return null;
}

/** Whether the next start, or the job that runs, makes it visible. */
async function isPromised({ path }: PartBook, books: Books, fileSystem: FileSystem): Promise<boolean> {
  if (books.replaced.has(path)) return true;
  // The rows of a swap's sources are in its merged part, if that is there.
  const file = books.pending.get(path) ?? books.swaps.get(path);
  if (file === undefined) return false;
  // In an object store it is an upload, which cannot be looked at.
  if (file.upload !== undefined) return true;
  for (const hidden of hiddenPaths(file)) if ((await fileSystem.stat(hidden)) !== null) return true;
  return (await fileSystem.stat(file.finalPath)) !== null;
}

async function checkPart(part: PartBook, place: Place, options: LakeOptions): Promise<Finding | null> {
  const { job, fileSystem, schema } = options;
  const { path, sizeBytes } = place;
  if (sizeBytes !== part.sizeBytes) {
    const shorter = sizeBytes < part.sizeBytes;
    return {
      code: shorter ? 'part_truncated' : 'part_changed',
      path,
      message: `${path} has ${sizeBytes} bytes, and was made with ${part.sizeBytes}`,
    };
  }
  if (part.rows === null) return null;
  try {
    const rows = part.quarantine
      ? await countRows(place, quarantineFormat(path), QUARANTINE_SCHEMA, fileSystem)
      : await countRows(place, job.sink.format, schema, fileSystem);
    if (rows === part.rows) return null;
    return {
      code: 'part_changed',
      path,
      message: `${path} has ${rows} rows, and was made with ${part.rows}`,
    };
  } catch (thrown) {
    if (SluiceError.from(thrown).code === 'NOT_FOUND') return missingPart(path);
    return damagedPart(path, thrown);
  }
}

/** Visible files that the books do not name. */
async function checkUnknown(
  listing: Listing,
  books: Books,
  { job, fileSystem }: LakeOptions,
): Promise<{ findings: Finding[]; older: number; foreign: number }> {
  const findings: Finding[] = [];
  const isKnown = (path: string) =>
    books.parts.has(path) || books.swaps.has(path) || books.replaced.has(path);
  const unknown = [...listing].filter(([path]) => !isKnown(path));
  if (unknown.length === 0) return { findings, older: 0, foreign: 0 };
  const others = await otherJobs(job, fileSystem);
  let older = 0;
  let foreign = 0;
  for (const [path, sizeBytes] of unknown) {
    const name = nameOf(path);
    if (isOlderThanLedger(path, books.checkpoint.jobId, books.ledger)) older++;
    else if (others.some((jobId) => name.includes(`-${jobId}-`))) foreign++;
    // Jobs may share the folder of their quarantine, where no marker is left.
    else if (isQuarantinePart(name) && !isPartName(name, books.checkpoint.jobId)) foreign++;
    // Gone since: the listing came first.
    else if ((await fileSystem.stat(path)) === null) continue;
    else findings.push(await judgeStranger(path, sizeBytes, books, fileSystem));
  }
  return { findings, older, foreign };
}

async function judgeStranger(
  path: string,
  sizeBytes: number,
  books: Books,
  fileSystem: FileSystem,
): Promise<Finding> {
  const merged = books.superseded.get(path);
  if (merged !== undefined)
    return {
      code: 'part_superseded',
      path,
      message: `${path} was merged into ${merged}, so its rows are there twice`,
    };
  const digest = await digestOf(path, fileSystem);
  for (const part of books.parts.values()) {
    if (part.sizeBytes !== sizeBytes || (await fileSystem.stat(part.path)) === null) continue;
    if ((await digestOf(part.path, fileSystem)) === digest)
      return { code: 'part_doubled', path, message: `${path} is a copy of ${part.path}` };
  }
  return { code: 'stranger', path, message: `${path} was not written by this job` };
}

/** Ids of other jobs that write to the same folder: they leave a marker there. */
async function otherJobs(job: CompiledJob, fileSystem: FileSystem): Promise<string[]> {
  const ids: string[] = [];
  const isMarker = (path: string) => /^\.sluice-.+\.json$/.test(path);
  const options = { enterFolder: () => false, wantFile: isMarker, topOnly: true };
  for await (const files of fileSystem.list(job.sink.path, options)) {
    for (const { path } of files) {
      if (path.endsWith(`/.sluice-${job.name}.json`)) continue;
      const text = Buffer.from((await fileSystem.readFile(path)) ?? []).toString();
      const jobId = /"jobId":"([0-9a-f]{8})"/.exec(text)?.[1];
      if (jobId !== undefined) ids.push(jobId);
    }
  }
  return ids;
}

async function digestOf(path: string, fileSystem: FileSystem): Promise<string> {
  const hash = createHash('sha256');
  const source = await fileSystem.open(path, 0);
  const piece = new Uint8Array(256 * 1024);
  try {
    for (let length = await source.read(piece); length > 0; length = await source.read(piece))
      hash.update(piece.subarray(0, length));
  } finally {
    await source.close();
  }
  return hash.digest('hex');
}

/** Its name tells, whatever the job says by now. */
function quarantineFormat(path: string): OutputFormatSpec {
  const name = nameOf(path);
  if (!isQuarantinePart(name)) throw new SluiceError('INTERNAL', `${path} is no quarantine part`);
  const compression = name.endsWith('.gz') ? 'gzip' : name.endsWith('.zst') ? 'zstd' : 'none';
  return name.endsWith('.parquet')
    ? { type: 'parquet', engine: 'sluice', compression: 'snappy', rowGroupBytes: 1 << 20, pageBytes: 1 << 20 }
    : { type: 'ndjson', compression, dialect: 'standard' };
}

function missingPart(path: string): Finding {
  return { code: 'part_missing', path, message: `${path} is gone` };
}

function isVisible(path: string): boolean {
  return !/^[._]/.test(nameOf(path));
}
