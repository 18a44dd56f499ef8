/**
 * Looks at some files of the source to infer a schema: the oldest, the newest and some between, a megabyte of each at
 * the most and four of all. What a sample does not show, the schema does not know; it is then fixed in the state.
 */
import { readFully } from '../core/byte-source.ts';
import type { Schema } from '../core/data-type.ts';
import type { ColumnEvidence, FileInputFormat, FileSample, InputFormat } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import { type FileSchema, schemaOfFiles } from '../core/schema-merger.ts';
import type { Compression } from '../core/specs.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import type { SourceRoot } from './file-selector.ts';
import { openRandomFile } from './random-file.ts';
import { openSplitSource } from './split-source.ts';
import { WaitingFiles } from './waiting-files.ts';

export interface SchemaSamplerOptions {
  readonly fileSystem: FileSystem;
  readonly roots: readonly SourceRoot[];
  readonly format: InputFormat | FileInputFormat;
  readonly compression: 'auto' | Compression;
  /** Files looked at, at most. */
  readonly maxFiles?: number;
  /** Decompressed bytes of each, at most. */
  readonly sampleBytes?: number;
  /** Whether more may come behind what a file holds now: its last record may not be whole then. None unless given. */
  readonly mayGrow?: (file: FileStatus) => boolean;
}

export interface SampledSchema {
  readonly schema: Schema;
  /** The files that were looked at. */
  readonly files: readonly string[];
  /** What each column was inferred from; empty where the files themselves say what they hold. Looks at the samples again. */
  readonly explain: () => readonly ColumnEvidence[];
}

const MAX_FILES = 10;
const SAMPLE_BYTES = 1024 * 1024;
/** Of all files together: some 20,000 records, as other engines look at. Ten megabytes took as long as a start does. */
const ALL_SAMPLES_BYTES = 4 * 1024 * 1024;

/**
 * @returns null where there is no file with anything in it (yet)
 * @throws SluiceError SCHEMA_UNKNOWN where nothing can be said of the files there are; NOT_FOUND where a root is not there
 */
export async function sampleSchema(options: SchemaSamplerOptions): Promise<SampledSchema | null> {
  const { fileSystem, format, compression, sampleBytes = SAMPLE_BYTES, mayGrow = () => false } = options;
  if (format.access === 'random') return readSchemas(options, format);
  const samples: Sample[] = [];
  const files = await chooseFiles(options);
  const eachBytes = Math.min(sampleBytes, Math.ceil(ALL_SAMPLES_BYTES / files.length));
  await eachWhole(files, async (file) => {
    const sample = await readSample(fileSystem, file, compression, eachBytes);
    if (sample === null || sample.bytes.length === 0) return false;
    samples.push({ path: file.path, ...sample, isWhole: sample.isWhole && !mayGrow(file) });
    return true;
  });
  if (samples.length === 0) return null;
  const { schema, from } = inferFrom(samples, format);
  return {
    schema,
    files: from.map(({ path }) => path),
    explain: () => format.explainSchema?.(from) ?? [],
  };
}

interface Sample extends FileSample {
  readonly path: string;
}

/** Damaged ones say nothing, here either. @throws SluiceError INPUT_CORRUPT, naming one, where they all are */
function inferFrom(
  samples: readonly Sample[],
  format: InputFormat,
): { readonly schema: Schema; readonly from: readonly Sample[] } {
  try {
    return { schema: format.inferSchema(samples), from: samples };
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
  }
  let damaged: SluiceError | null = null;
  const whole = samples.filter((sample) => {
    try {
      format.inferSchema([sample]);
      return true;
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      damaged ??= damageOf(sample.path, thrown);
      return false;
    }
  });
  if (damaged !== null && whole.length === 0) throw damaged;
  return { schema: format.inferSchema(whole), from: whole };
}

function isDamage(thrown: unknown): thrown is SluiceError {
  return thrown instanceof SluiceError && thrown.code === 'INPUT_CORRUPT';
}

function damageOf(path: string, error: SluiceError): SluiceError {
  return new SluiceError('INPUT_CORRUPT', `${path}: ${error.message}`, {
    hint: error.hint ?? 'correct or exclude the file, or choose the format that it has',
    details: { ...error.details, path },
    cause: error,
  });
}

/**
 * Looks at each file; a damaged one says nothing, since what becomes of it is for `on_bad_record` to say once it is read.
 * @param look whether the file said anything @throws SluiceError INPUT_CORRUPT where there are damaged files only
 */
async function eachWhole(
  files: readonly FileStatus[],
  look: (file: FileStatus) => Promise<boolean>,
): Promise<void> {
  let damaged: SluiceError | null = null;
  let found = false;
  for (const file of files) {
    try {
      if (await look(file)) found = true;
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      damaged ??= thrown;
    }
  }
  if (damaged !== null && !found) throw damaged;
}

/** Of formats whose files know their columns: those of all the files looked at. */
async function readSchemas(
  options: SchemaSamplerOptions,
  format: FileInputFormat,
): Promise<SampledSchema | null> {
  const found: FileSchema[] = [];
  await eachWhole(await chooseFiles(options), async (file) => {
    const schema = await readSchema(options.fileSystem, file, format);
    if (schema === null) return false;
    found.push({ path: file.path, schema });
    return true;
  });
  if (found.length === 0) return null;
  return { schema: schemaOfFiles(found), files: found.map(({ path }) => path), explain: () => [] };
}

async function readSchema(
  fileSystem: FileSystem,
  file: FileStatus,
  format: FileInputFormat,
): Promise<Schema | null> {
  try {
    const opened = await openRandomFile(fileSystem, file);
    return await format.readSchema(opened).finally(() => opened.close());
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** At most `maxFiles` files that are not empty: the oldest, the newest, and others at even distances, oldest first. */
async function chooseFiles({
  fileSystem,
  roots,
  maxFiles = MAX_FILES,
}: SchemaSamplerOptions): Promise<FileStatus[]> {
  const waiting = new WaitingFiles(roots.map((root) => root.folder));
  for (const [index, root] of roots.entries()) {
    for await (const piece of fileSystem.list(root.folder, root.options)) {
      for (const file of piece) if (file.sizeBytes > 0) waiting.add(file, index);
    }
  }
  const last = waiting.size - 1;
  const wanted = new Set<number>([last]);
  for (let i = 0; i < maxFiles - 1; i++) wanted.add(Math.round((i * last) / (maxFiles - 1)));
  const files: FileStatus[] = [];
  for (let index = 0; index <= last; index++) {
    const file = waiting.pop();
    // Listed under two roots, a file follows itself.
    if (file !== null && wanted.has(index) && files.at(-1)?.path !== file.path) files.push(file);
  }
  return files;
}

/** The first bytes of a file, decompressed; null where it is gone by now. */
async function readSample(
  fileSystem: FileSystem,
  file: FileStatus,
  wanted: 'auto' | Compression,
  sampleBytes: number,
): Promise<FileSample | null> {
  try {
    const { source } = await openSplitSource(fileSystem, file, wanted, 0);
    try {
      // One byte more tells whether there is more.
      const bytes = new Uint8Array(sampleBytes + 1);
      const length = await readFully(source, bytes);
      return { bytes: bytes.subarray(0, Math.min(length, sampleBytes)), isWhole: length <= sampleBytes };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
