/**
 * `sluice verify --deep`: reads the source and the lake once more and compares what is in them: for each file, how many rows
 * and refused records it has; for all together, a digest of the values, which does not depend on the order of rows.
 */
import { createInputFormat } from '../../formats/input-format.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { DataType, Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { LINEAGE_COLUMNS } from '../core/lineage.ts';
import type { OutputFormatSpec, SchemaDriftSpec } from '../core/specs.ts';
import { neededColumns, placesNeeded } from '../pipeline/needed-columns.ts';
import { baseColumns } from '../pipeline/schema-registry.ts';
import { passesThrough } from '../pipeline/sink-setup.ts';
import { type Split, startPosition } from '../source/split.ts';
import { SplitReader } from '../source/split-reader.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { loadMapFunctions } from '../transform/map-rows.ts';
import {
  createTransform,
  deduplicateStep,
  type RowTransform,
  rowSchema,
} from '../transform/row-transform.ts';
import type { Books, InputBook } from './books.ts';
import { isNested } from './canonical-text.ts';
import type { Dropped } from './dropped.ts';
import { damagedPart, type Finding } from './finding.ts';
import { partBatches } from './part-batches.ts';
import { RowDigest } from './row-digest.ts';

const BATCH_ROWS = 8192;
/** What rows have of the run that read them. */
const NOT_OF_THE_SOURCE: ReadonlySet<string> = new Set([
  LINEAGE_COLUMNS.ingested_at.name,
  LINEAGE_COLUMNS.checkpoint.name,
]);

export interface DeepOptions {
  readonly job: CompiledJob;
  readonly fileSystem: FileSystem;
  /** Of the part files. */
  readonly partSchema: Schema;
  /** Source files that are there as they were read. */
  readonly intact: ReadonlySet<string>;
  /** So far. Where there are any, the digests would only say so once more. */
  readonly findings: readonly Finding[];
  readonly dropped: Dropped;
}

/** Snake case: this is what `--json` prints. */
export interface DeepReport {
  /** Source files that were read again. */
  readonly files: number;
  /** Whether the values were compared; otherwise why not. */
  readonly compared: boolean;
  readonly why_not: string | null;
  readonly rows: number;
  readonly source_digest: string | null;
  readonly lake_digest: string | null;
  /** Columns that were not compared: the folder's name has them, or the format keeps them as text. */
  readonly columns_left_out: readonly string[];
}

const EXPLAINED = 'what was found explains a difference';
const WENT_MEANWHILE = 'parts were merged or removed while they were read';
const NOT_COMPARABLE: DeepReport = {
  files: 0,
  compared: false,
  why_not: 'the job de-duplicates: which rows stay depends on the order in which files were read',
  rows: 0,
  source_digest: null,
  lake_digest: null,
  columns_left_out: [],
};

export async function verifyDeep(
  books: Books,
  options: DeepOptions,
): Promise<{ report: DeepReport; findings: Finding[] }> {
  const { job, partSchema } = options;
  const schema = books.checkpoint.schema ?? { fields: [] };
  const lines = passesThrough({ job, schema, replay: false }, partSchema);
  const { format } = job.sink;
  const compared = partSchema.fields.filter(
    ({ name, type }) => isKept(format, name, type) && !NOT_OF_THE_SOURCE.has(name),
  );
  const digest = () =>
    new RowDigest({
      schema: { fields: compared },
      widened: widenedColumns(books),
      losses: {
        emptyIsNull: job.sink.format.type === 'text' || isHiveCsv(job),
        hiveText: isHiveCsv(job),
        notFiniteIsNull: job.sink.format.type === 'ndjson',
      },
      lines,
    });
  if (deduplicateStep(job.transform) !== null)
    return { report: NOT_COMPARABLE, findings: await readUncompared(books, options) };
  const source = digest();
  const findings = await readSource(books, schema, lines, source, options);
  const inputs = books.inputs.filter(({ lane }) => lane === 'source');
  const whyIncomplete = whyNotCompared(books, inputs, source.rows, options, findings.length === 0);
  const lake = digest();
  const read =
    whyIncomplete === null
      ? await readLake(books, lines, lake, options)
      : { findings: await readUncompared(books, options), whyNot: whyIncomplete };
  findings.push(...read.findings);
  const { whyNot } = read;
  const written = rowSchema(job, schema, baseColumns(schema, books.checkpoint.schemaHistory ?? []));
  const left = written.fields.filter(({ name }) => !compared.some((field) => field.name === name));
  const base = {
    files: new Set(inputs.filter(({ path }) => options.intact.has(path)).map(({ path }) => path)).size,
    rows: source.rows,
    columns_left_out: lines ? [] : left.map(({ name }) => name),
  };
  if (whyNot !== null)
    return {
      report: { ...base, compared: false, why_not: whyNot, source_digest: null, lake_digest: null },
      findings,
    };
  if (lake.rows !== source.rows)
    findings.push({
      code: 'rows_differ',
      path: null,
      message: `the source has ${source.rows} rows, and the lake ${lake.rows}`,
    });
  else if (lake.hex !== source.hex)
    findings.push({
      code: 'content_differs',
      path: null,
      message: `source and lake have ${lake.rows} rows, but not the same values (digests ${source.hex} and ${lake.hex})`,
    });
  return {
    report: { ...base, compared: true, why_not: null, source_digest: source.hex, lake_digest: lake.hex },
    findings,
  };
}

/** Whether parts have a column, and not as JSON in a format that has none. */
function isKept(format: OutputFormatSpec, name: string, type: DataType): boolean {
  if (format.type === 'text') return name === (format.column ?? name) && !isNested(type);
  return format.type !== 'csv' || !isNested(type);
}

/** null: both sides are there as a whole. */
function whyNotCompared(
  books: Books,
  inputs: readonly InputBook[],
  rows: number,
  { intact, findings, dropped }: DeepOptions,
  countsAgree: boolean,
): string | null {
  const { balance, forgotten, ledger, parts, pending, swaps, replaced } = books;
  const paths = new Set(inputs.map(({ path }) => path));
  const newest = newestVersions(inputs);
  const isOneVersion =
    newest.size === paths.size && inputs.every(({ path, fileId }) => Number(fileId) >= newest.get(path)!);
  const isWaiting = (path: string) => pending.has(path) || swaps.has(path) || replaced.has(path);
  const waiting = [...parts.keys()].filter(isWaiting).length;
  if (findings.length > 0 || !countsAgree) return EXPLAINED;
  if (ledger.opening !== undefined) return 'the lake has parts that are older than the ledger';
  const lacking = paths.size - intact.size + (forgotten?.files ?? 0);
  if (lacking > 0) return `${lacking} source files are not there as they were read`;
  if (!isOneVersion) return 'files were read in more than one version, or under another name';
  if (inputs.some(({ end }) => end === null)) return 'files are being read';
  if (balance.open > 0 || waiting > 0) return `${balance.open} rows are in parts that are not visible yet`;
  if (dropped.parts > 0) return `${dropped.rows} rows are in partitions that were dropped`;
  if (balance.lateDropped > 0) return `${balance.lateDropped} rows came late and were dropped`;
  const missing = rows - balance.published;
  return missing > 0
    ? `${missing} records that were refused can be read: they belong in no bucket, came late, or would fit by now and were not replayed`
    : null;
}

/** @returns files whose rows, or refused records, are not as many as the ledger says */
async function readSource(
  books: Books,
  schema: Schema,
  lines: boolean,
  digest: RowDigest,
  { job, fileSystem, intact }: DeepOptions,
): Promise<Finding[]> {
  const { source } = job;
  const reader = new SplitReader({
    fileSystem,
    format: await createInputFormat(source.format),
    compression: source.format.compression,
    schema,
    batchRows: BATCH_ROWS,
    keepLines: lines,
    columns: lines && source.onBadRecord !== 'quarantine' ? neededColumns(job) : undefined,
    maxRecordBytes: source.maxRecordBytes,
    onBadRecord: source.onBadRecord === 'fail' ? 'skip' : source.onBadRecord,
    drift: driftOf(source.drift, readsWider(job, books)),
    modified: source.modified === 'append' ? 'append' : 'ignore',
    places: placesNeeded(source.lineage),
  });
  const transform = createTransform(
    job,
    schema,
    baseColumns(schema, books.checkpoint.schemaHistory ?? []),
    await loadMapFunctions(job.transform),
  );
  const findings: Finding[] = [];
  const newest = newestVersions(books.inputs);
  try {
    for (const input of books.inputs) {
      // What was read of the path before is not there any more.
      if (Number(input.fileId) < (newest.get(input.path) ?? 0)) continue;
      if (input.lane !== 'source' || input.end !== 'read' || !intact.has(input.path)) continue;
      const finding = await readInput(input, reader, transform, digest);
      if (finding !== null) findings.push(finding);
    }
  } finally {
    await reader.close();
  }
  return findings;
}

async function readInput(
  input: InputBook,
  reader: SplitReader,
  transform: RowTransform | null,
  digest: RowDigest,
): Promise<Finding | null> {
  const { path, tally } = input;
  const before = digest.rows;
  try {
    let isOpen = await reader.open(splitOf(input));
    await reader.takeQuarantined();
    while (isOpen) {
      const batch = await reader.next();
      await reader.takeQuarantined();
      if (reader.drift !== null) reader.passDrift();
      if (batch === null) isOpen = false;
      else digest.add(transform?.apply(batch, reader.places, { path, nowMs: 0, checkpointId: 0 }) ?? batch);
    }
  } catch (thrown) {
    const { code, message } = SluiceError.from(thrown);
    if (code !== 'INPUT_CORRUPT' && code !== 'BAD_RECORD' && code !== 'RECORD_TOO_LARGE') throw thrown;
    return { code: 'rows_differ', path, message: `${path} cannot be read as it was: ${message}` };
  }
  const { rejected, quarantined } = reader.takeCounts();
  const rows = digest.rows - before;
  const refused = rejected + quarantined;
  if (tally.partial) return null;
  const wanted = tally.rows + tally.rejected + tally.quarantined;
  // Records that were refused may fit by now, by a wider schema.
  if (rows + refused === wanted && rows >= tally.rows) return null;
  return {
    code: 'rows_differ',
    path,
    message: `${path} has ${rows} rows and ${refused} bad records, and had ${tally.rows} and ${wanted - tally.rows} when it was read`,
  };
}

/** All parts, to be compared. @returns what is damaged; why there is nothing to compare, if there is not */
async function readLake(
  books: Books,
  lines: boolean,
  digest: RowDigest,
  { job, fileSystem, partSchema }: DeepOptions,
): Promise<{ findings: Finding[]; whyNot: string | null }> {
  const { format } = job.sink;
  const options = {
    keepLines: lines,
    columns: lines ? neededColumns(job) : undefined,
    widened: readsWider(job, books),
  };
  const findings: Finding[] = [];
  for (const part of books.parts.values()) {
    if (part.quarantine) continue;
    try {
      for await (const batch of partBatches(part, format, partSchema, fileSystem, options)) digest.add(batch);
    } catch (thrown) {
      if (SluiceError.from(thrown).code === 'NOT_FOUND') return { findings, whyNot: WENT_MEANWHILE };
      // Lines say nothing of their columns: they may be damaged, or of an earlier schema or earlier steps. Not to be passed over.
      if (!saysItsSchema(format) && SluiceError.from(thrown).code === 'BAD_RECORD') throw thrown;
      findings.push(damagedPart(part.path, thrown));
    }
  }
  return { findings, whyNot: findings.length > 0 ? EXPLAINED : null };
}

/**
 * Parts of a length and with a footer that are right may be damaged within. Those of lines were read before, when their rows
 * were counted.
 */
async function readUncompared(
  books: Books,
  { job, fileSystem, partSchema, findings }: DeepOptions,
): Promise<Finding[]> {
  const { format } = job.sink;
  if (!saysItsSchema(format)) return [];
  const told = new Set(findings.map(({ path }) => path));
  const damaged: Finding[] = [];
  for (const part of books.parts.values()) {
    if (part.quarantine || told.has(part.path)) continue;
    try {
      for await (const _ of partBatches(part, format, partSchema, fileSystem));
    } catch (thrown) {
      // Not visible yet, dropped, or merged meanwhile: that is told by the listing, of now or of the next time.
      if (SluiceError.from(thrown).code !== 'NOT_FOUND') damaged.push(damagedPart(part.path, thrown));
    }
  }
  return damaged;
}

function saysItsSchema({ type }: OutputFormatSpec): boolean {
  return type === 'parquet' || type === 'avro' || type === 'arrow';
}

/** By path, the last taking that began with the file's first byte: what was taken before was another file, or version. */
function newestVersions(inputs: readonly InputBook[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const { lane, path, fileId, fromByte } of inputs)
    if (lane === 'source' && fromByte === 0)
      newest.set(path, Math.max(newest.get(path) ?? 0, Number(fileId)));
  return newest;
}

function splitOf({ path, sizeBytes, modifiedNs, identity, fromByte, toByte }: InputBook): Split {
  return {
    id: '0.0',
    fileId: '0',
    path,
    sizeBytes,
    modifiedNs,
    ...(identity === undefined ? {} : { identity }),
    // Only files that are not compressed are read in ranges.
    compression: fromByte > 0 || toByte !== null ? 'none' : null,
    startByte: fromByte,
    endByte: toByte,
    position: startPosition(fromByte),
  };
}

/** The schema is what it came to: nothing is to be added to it, and what is not in it was passed over or rescued. */
function driftOf({ newField, mismatch }: SchemaDriftSpec, widened: boolean): SchemaDriftSpec {
  // What a narrower type took, the wider one takes only under that policy: a number is no text otherwise.
  const otherwise = widened ? 'widen' : mismatch === 'quarantine' ? 'quarantine' : 'bad_record';
  return {
    newField: newField === 'rescue' ? 'rescue' : 'ignore',
    mismatch: mismatch === 'rescue' ? 'rescue' : otherwise,
  };
}

/** Whether numbers stand in columns of text: by the job's policy, or by the one it had. */
function readsWider({ source }: CompiledJob, books: Books): boolean {
  return source.drift.mismatch === 'widen' || widenedColumns(books).size > 0;
}

function widenedColumns({ checkpoint }: Books): ReadonlySet<string> {
  const changes = (checkpoint.schemaHistory ?? []).flatMap((version) => version.changes);
  return new Set(changes.flatMap((change) => (change.kind === 'widened' ? [change.column] : [])));
}

function isHiveCsv({ sink }: CompiledJob): boolean {
  return sink.format.type === 'csv' && sink.format.dialect === 'hive';
}
