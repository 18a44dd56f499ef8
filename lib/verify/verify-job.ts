/**
 * `sluice verify`: proves, or disproves, that every row that was read is in the lake (or was refused), that every part is
 * there and whole, and that nothing else is. It takes no lock and may run beside the job.
 */
import { createBucketAssigner } from '../../bucketing/index.ts';
import { CheckpointStore } from '../commit/checkpoint-store.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { baseColumns } from '../pipeline/schema-registry.ts';
import { withoutColumns } from '../pipeline/sink-setup.ts';
import type { SplitTally } from '../source/tally.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { rowSchema } from '../transform/row-transform.ts';
import { type Books, readBooks } from './books.ts';
import { checkBooks } from './check-books.ts';
import { checkHidden } from './check-hidden.ts';
import { checkLake, listParts } from './check-lake.ts';
import { checkSource } from './check-source.ts';
import { type DeepReport, verifyDeep } from './deep.ts';
import type { Finding } from './finding.ts';

export interface VerifyOptions {
  readonly job: CompiledJob;
  readonly fileSystem: FileSystem;
  /** Whether both sides are read once more; see deep.ts. */
  readonly deep?: boolean;
  /** Globs of folders below the lake: partitions that may have been dropped as a whole. */
  readonly acceptMissing?: readonly string[];
}

/** Snake case: this is what `--json` prints. */
export interface VerifyReport {
  readonly job: string;
  /** Whether there is no finding. */
  readonly ok: boolean;
  /** The one that everything is held against. */
  readonly checkpoint: number;
  /** The first one that the ledger tells of; 1: it is as old as the job. */
  readonly since_checkpoint: number;
  readonly source: {
    readonly files: number;
    readonly gone: number;
    readonly to_be_read: number;
    readonly bytes: number;
    /** Records of these files. Together with those replayed they are the ones below, summed. */
    readonly records: number;
    /** Records of quarantine parts, read once more by `sluice replay`. */
    readonly replayed: number;
    readonly rows: number;
    readonly rejected: number;
    readonly quarantined: number;
    /** Left out by a filter of the job. */
    readonly filtered: number;
  };
  readonly lake: {
    readonly parts: number;
    readonly rows: number;
    /** Promised, and not visible yet. */
    readonly pending_parts: number;
    /** In parts that are open. */
    readonly open_rows: number;
    readonly late_dropped: number;
    /** Partitions that are gone as a whole, where that is accepted: their folders, and what was in them. */
    readonly dropped_partitions: readonly string[];
    readonly dropped_parts: number;
    readonly dropped_rows: number;
    readonly quarantine_parts: number;
    /** Not covered: older than the ledger, or of another job. */
    readonly older_parts: number;
    readonly foreign_parts: number;
  };
  /** Only where it was asked for. */
  readonly deep?: DeepReport;
  readonly findings: readonly Finding[];
}

/** @throws SluiceError USAGE where the job never ran; STATE_CORRUPT, STATE_VERSION; storage errors */
export async function verifyJob(options: VerifyOptions): Promise<VerifyReport> {
  const { job, fileSystem, deep, acceptMissing = [] } = options;
  const listing = await listParts(job, fileSystem);
  const rereadBooks = () => readBooks(fileSystem, job);
  const books = await rereadBooks();
  const schema = await partSchema(job, books);
  const lake = await checkLake(listing, books, {
    job,
    fileSystem,
    schema,
    rereadBooks,
    acceptMissing,
  });
  const { segmentsFolder } = new CheckpointStore(fileSystem, job.statePath);
  const hidden = await checkHidden(books, { fileSystem, segmentsFolder, rereadBooks });
  const source = await checkSource(books, job.source, fileSystem);
  const findings = [
    ...checkBooks(books, job.source.modified === 'append'),
    ...lake.findings,
    ...hidden,
    ...source.findings,
  ];
  const read = deep
    ? await verifyDeep(books, {
        job,
        fileSystem,
        partSchema: schema,
        intact: source.intact,
        findings,
        dropped: lake.dropped,
      })
    : null;
  findings.push(...(read?.findings ?? []));
  const { checkpoint, ledger, balance } = books;
  const forgotten = books.forgotten?.files ?? 0;
  const { rows, rejected, quarantined, filtered = 0, bytes } = balance.read;
  const replayed = recordsOf(balance.replayed);
  return {
    job: job.name,
    ok: findings.length === 0,
    checkpoint: checkpoint.id,
    since_checkpoint: ledger.sinceCheckpoint,
    source: {
      files: source.files + forgotten,
      gone: source.gone + forgotten,
      to_be_read: source.toBeRead,
      bytes: bytes - balance.replayed.bytes,
      records: recordsOf(balance.read) - replayed,
      replayed,
      rows,
      rejected,
      quarantined,
      filtered,
    },
    lake: {
      parts: lake.parts,
      rows: lake.rows,
      pending_parts: lake.pending,
      open_rows: balance.open,
      late_dropped: balance.lateDropped,
      dropped_partitions: lake.dropped.folders,
      dropped_parts: lake.dropped.parts,
      dropped_rows: lake.dropped.rows,
      quarantine_parts: lake.quarantineParts,
      older_parts: lake.older,
      foreign_parts: lake.foreign,
    },
    ...(read === null ? {} : { deep: read.report }),
    findings,
  };
}

function recordsOf({ rows, rejected, quarantined, filtered = 0 }: SplitTally): number {
  return rows + rejected + quarantined + filtered;
}

/** Of the part files, as they are written now. */
async function partSchema(job: CompiledJob, { checkpoint }: Books): Promise<Schema> {
  const { schema, schemaHistory = [] } = checkpoint;
  if (schema === null) return { fields: [] };
  const rows = rowSchema(job, schema, baseColumns(schema, schemaHistory));
  const assigner = await createBucketAssigner(job.sink.bucket, rows);
  return withoutColumns(rows, assigner.partitionColumns);
}
