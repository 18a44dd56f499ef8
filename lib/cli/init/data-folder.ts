/** A look at a folder of data: what is in it, and what can be told of its format. */
import { createInputFormat } from '../../../formats/input-format.ts';
import type { Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';
import { nameOf } from '../../core/location.ts';
import { readValue } from '../../core/values.ts';
import { selectRoots } from '../../source/file-selector.ts';
import type { FileStatus, FileSystem } from '../../storage/file-system.ts';
import { readHead } from '../read-head.ts';
import { type FormatGuess, formatSpec, guessFormat } from './guess-format.ts';

/** Enough to know what there is; a folder may hold millions. */
const MAX_FILES = 100_000;
/** Kinds of names beyond these are rare ones. */
const MAX_EXTENSIONS = 1000;
const HEAD_BYTES = 256 * 1024;
const SAMPLE_ROWS = 100;
/** Files of a group that are tried until one can be read. */
const MAX_TRIED = 3;

export interface DataFolder {
  readonly files: number;
  readonly bytes: number;
  /** Whether there are more than were counted. */
  readonly more: boolean;
  /** Endings of the names of the files that are of the format, such as `.ndjson.gz`; empty where names have none. */
  readonly extensions: readonly string[];
  /** Files with other endings. */
  readonly otherFiles: number;
  readonly format: FormatGuess;
  readonly largestBytes: number;
  readonly schema: Schema | null;
  /** The first rows, values in the order of the schema's fields. */
  readonly rows: readonly (readonly unknown[])[];
}

interface Group {
  files: number;
  bytes: number;
  /** The largest ones, largest first: more than one, because a file may be damaged. */
  largest: FileStatus[];
}

/** @throws SluiceError NOT_FOUND; USAGE where nothing there can be read */
export async function lookAtFolder(folder: string, fileSystem: FileSystem): Promise<DataFolder> {
  const groups = await groupByExtension(folder, fileSystem);
  if (groups.size === 0) {
    throw new SluiceError('USAGE', `${folder} holds no files (names that begin with . or _ are never read)`, {
      hint: 'put an example of the data there, and call init again',
    });
  }
  const ranked = [...groups].sort(([, a], [, b]) => b.bytes - a.bytes || b.files - a.files);
  const heads = new Map<string, { head: Uint8Array; guess: FormatGuess }>();
  const unreadable: string[] = [];
  // The largest group says the format; what has the same one under another name (a compressed twin) goes with it.
  let chosen: FormatGuess | null = null;
  for (const [extension, { largest }] of ranked.slice(0, 20)) {
    const whole = await firstUndamaged(largest, fileSystem);
    if (whole === null) {
      unreadable.push(`${largest[0]?.path}: it is damaged: it cannot be decompressed`);
      continue;
    }
    const { file, head } = whole;
    const guess = guessFormat(head);
    if ('unreadable' in guess) unreadable.push(`${file.path}: ${guess.unreadable}`);
    else if (chosen === null || sameFormat(chosen, guess)) {
      chosen ??= guess;
      heads.set(extension, { head, guess });
    }
  }
  if (chosen === null) {
    throw new SluiceError(
      'USAGE',
      `nothing in ${folder} can be read:\n  ${unreadable.slice(0, 5).join('\n  ')}`,
      {
        hint: 'docs/formats.md lists the formats and compressions that sluice reads',
      },
    );
  }
  const taken = ranked.filter(([extension]) => heads.has(extension));
  const total = ranked.reduce((sum, [, group]) => sum + group.files, 0);
  const files = taken.reduce((sum, [, group]) => sum + group.files, 0);
  return {
    files,
    bytes: taken.reduce((sum, [, group]) => sum + group.bytes, 0),
    more: total >= MAX_FILES,
    extensions: taken.map(([extension]) => extension).filter((extension) => extension !== ''),
    otherFiles: total - files,
    format: chosen,
    largestBytes: Math.max(...taken.map(([, { largest }]) => largest[0]?.sizeBytes ?? 0)),
    ...(await sample(chosen, [...heads.values()][0]?.head ?? new Uint8Array(0))),
  };
}

async function groupByExtension(folder: string, fileSystem: FileSystem): Promise<Map<string, Group>> {
  const selection = { paths: [folder], include: [], exclude: [], recursive: true };
  const groups = new Map<string, Group>();
  let files = 0;
  for (const root of await selectRoots(selection, fileSystem, () => {})) {
    for await (const piece of fileSystem.list(root.folder, root.options)) {
      for (const file of piece) {
        if (++files > MAX_FILES) return groups;
        const extension = extensionOf(file.path);
        const group = groups.get(extension);
        if (group === undefined) {
          if (groups.size < MAX_EXTENSIONS)
            groups.set(extension, { files: 1, bytes: file.sizeBytes, largest: [file] });
          continue;
        }
        group.files++;
        group.bytes += file.sizeBytes;
        keepLargest(group.largest, file);
      }
    }
  }
  return groups;
}

function keepLargest(files: FileStatus[], file: FileStatus): void {
  if (files.length === MAX_TRIED && file.sizeBytes <= files[MAX_TRIED - 1]!.sizeBytes) return;
  files.push(file);
  files.sort((a, b) => b.sizeBytes - a.sizeBytes);
  files.length = Math.min(files.length, MAX_TRIED);
}

/** The first one that decompresses, and its first bytes; null where none does: what becomes of damaged files is for the job to say. */
async function firstUndamaged(
  files: readonly FileStatus[],
  fileSystem: FileSystem,
): Promise<{ file: FileStatus; head: Uint8Array } | null> {
  for (const file of files) {
    try {
      const { head } = await readHead(fileSystem, file, HEAD_BYTES);
      return { file, head };
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'INPUT_CORRUPT')) throw error;
    }
  }
  return null;
}

/** `.ndjson.gz` of `a/events.2026.ndjson.gz`; '' where there is none. */
function extensionOf(file: string): string {
  const name = nameOf(file);
  return /[^.](\.[A-Za-z][A-Za-z0-9]{0,9}(?:\.(?:gz|zst|zstd|gzip))?)$/.exec(name)?.[1] ?? '';
}

function sameFormat(a: FormatGuess, b: FormatGuess): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Schema and first rows, as the decoder sees them; without either where it cannot tell. */
async function sample(guess: FormatGuess, head: Uint8Array): Promise<Pick<DataFolder, 'schema' | 'rows'>> {
  const isWhole = head.length < HEAD_BYTES;
  const format = await createInputFormat(formatSpec(guess));
  let schema: Schema;
  try {
    schema = format.inferSchema([{ bytes: head, isWhole }]);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SCHEMA_UNKNOWN') return { schema: null, rows: [] };
    throw error;
  }
  const decoder = format.createDecoder({
    schema,
    batchRows: SAMPLE_ROWS,
    onBadRecord: () => {},
    keepLines: false,
  });
  decoder.begin({ offset: 0, state: null });
  decoder.decode(head, 0, head.length, isWhole);
  const batch = decoder.take();
  const rows = Array.from({ length: batch.length }, (_, row) =>
    batch.columns.map((column) => readValue(column, row)),
  );
  return { schema, rows };
}
