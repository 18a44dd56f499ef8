/**
 * Whether all is there that no reader sees and that the next start cannot do without: hidden files of open parts and of
 * promised ones, and segments. The ledger counts rows of open parts as accounted for, so nothing else would miss them.
 *
 * A job that runs publishes parts and removes segments while this looks. Until its next checkpoint is durable, it needs
 * and keeps all that the newest one names; so what is not there counts if the newest checkpoint is still the same one
 * after the look, or if the next one needs it as well.
 */
import pLimit from 'p-limit';
import { openPartsOf, segmentsOf } from '../commit/checkpoint.ts';
import { isS3Location } from '../core/location.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { PendingFile, PieceState, ResumePoint } from '../storage/recoverable-writer.ts';
import type { Books } from './books.ts';
import type { Finding } from './finding.ts';

/** Files looked at at once. */
const CONCURRENCY = 16;
/** Checkpoints that what is not there is held against, where a job takes them faster than this can look. */
const MAX_ROUNDS = 20;

export interface HiddenOptions {
  readonly fileSystem: FileSystem;
  readonly segmentsFolder: string;
  readonly rereadBooks: () => Promise<Books>;
}

export async function checkHidden(books: Books, options: HiddenOptions): Promise<Finding[]> {
  let before = books;
  let findings = await lookAt(books, options);
  for (let round = 0; findings.length > 0 && round < MAX_ROUNDS; round++) {
    const now = await options.rereadBooks();
    if (now.checkpoint.id === before.checkpoint.id) break;
    const again = new Set((await lookAt(now, options)).map(({ path }) => path));
    findings = findings.filter(({ path }) => again.has(path));
    before = now;
  }
  return findings;
}

async function lookAt(books: Books, options: HiddenOptions): Promise<Finding[]> {
  const { checkpoint } = books;
  // Its segments were read for the books.
  const { ledger: _, ...withoutLedger } = checkpoint;
  const limit = pLimit(CONCURRENCY);
  const looks = [
    ...openPartsOf(checkpoint).map(
      ({ file }) =>
        () =>
          lookAtOpen(file, options),
    ),
    ...[...books.pending.values()].map((file) => () => lookAtPromised(file, books, options)),
    ...(checkpoint.compaction?.swaps ?? []).map(
      ({ file, sources }) =>
        () =>
          lookAtMerged(file, sources, options),
    ),
    ...[...segmentsOf(withoutLedger)].map(
      ([segment, lengthBytes]) =>
        () =>
          lookAtSegment(`${options.segmentsFolder}/${segment}`, lengthBytes, options),
    ),
  ];
  const findings = await Promise.all(looks.map((look) => limit(look)));
  return findings.filter((finding) => finding !== null);
}

/** A run writes on behind what its checkpoint counts on. */
async function lookAtOpen(file: ResumePoint | null, { fileSystem }: HiddenOptions): Promise<Finding | null> {
  if (file === null) return null;
  return (await findGaps(file, 'at least', fileSystem))[0] ?? null;
}

async function lookAtPromised(
  file: PendingFile,
  books: Books,
  { fileSystem }: HiddenOptions,
): Promise<Finding | null> {
  // All of it is in the upload by now, and whether that is there takes a request for each to tell.
  if (file.upload !== undefined) return null;
  const gaps = await findGaps(file, 'exactly', fileSystem);
  // After the hidden files: whoever publishes makes the part visible first, and removes them then.
  if (gaps.length === 0 || (await fileSystem.stat(file.finalPath)) !== null) return null;
  const isGone =
    gaps.length === hiddenFiles(file).length && gaps.every(({ code }) => code === 'hidden_missing');
  // Told as a part that is missing, or as one of a partition that was dropped.
  return isGone && books.parts.has(file.finalPath) ? null : gaps[0]!;
}

/** Its rows are in its sources as well until it is visible: where these are gone too, they are told as missing. */
async function lookAtMerged(
  file: PendingFile,
  sources: readonly string[],
  { fileSystem }: HiddenOptions,
): Promise<Finding | null> {
  if (file.upload !== undefined) return null;
  const [gap] = await findGaps(file, 'exactly', fileSystem);
  if (gap === undefined || (await fileSystem.stat(file.finalPath)) !== null) return null;
  if (gap.code === 'hidden_changed') return gap;
  for (const source of sources) if ((await fileSystem.stat(source)) !== null) return gap;
  return null;
}

/**
 * The files that hold the bytes of a hidden one. In an object store most are in an upload, which is not looked at: only
 * a request for each tells its parts. A start does that, and ends with PART_MISSING.
 */
function hiddenFiles({ hiddenPath, lengthBytes, pieces = [] }: ResumePoint): readonly PieceState[] {
  return isS3Location(hiddenPath) ? pieces : [{ path: hiddenPath, lengthBytes }];
}

async function findGaps(
  file: ResumePoint,
  wanted: 'exactly' | 'at least',
  fileSystem: FileSystem,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, lengthBytes } of hiddenFiles(file)) {
    const status = await fileSystem.stat(path);
    if (status === null) {
      findings.push({
        code: 'hidden_missing',
        path,
        message: `${path} is gone: it holds rows of ${file.finalPath}, which is not visible yet`,
      });
    } else if (status.sizeBytes < lengthBytes || (wanted === 'exactly' && status.sizeBytes !== lengthBytes)) {
      findings.push({
        code: 'hidden_changed',
        path,
        message: `${path} has ${status.sizeBytes} bytes, and was left with ${lengthBytes}: it holds rows of ${file.finalPath}, which is not visible yet`,
      });
    }
  }
  return findings;
}

async function lookAtSegment(
  path: string,
  lengthBytes: number,
  { fileSystem }: HiddenOptions,
): Promise<Finding | null> {
  const status = await fileSystem.stat(path);
  const holds = 'it holds rows of open parts, or which files were taken';
  if (status === null) return { code: 'segment_missing', path, message: `${path} is gone: ${holds}` };
  if (status.sizeBytes >= lengthBytes) return null;
  return {
    code: 'segment_changed',
    path,
    message: `${path} has ${status.sizeBytes} bytes, and ${lengthBytes} are needed: ${holds}`,
  };
}
