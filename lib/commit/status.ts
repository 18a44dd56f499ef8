/** What the state says about a job: read without the lock, so while the job runs as well as after it died. */
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import { formatDataType } from '../core/data-type.ts';
import type { Split } from '../source/split.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { jobOwner } from '../storage/job-lock.ts';
import { type Checkpoint, decodeCheckpoint, openPartsOf, type Totals } from './checkpoint.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { proveNeverRan } from './lake-marker.ts';
import { laneOf } from './lanes.ts';
import type { PartitionState } from './partitions/partition-state.ts';

export interface JobStatus {
  readonly job: string;
  readonly state: string;
  /**
   * null where no process runs the job; `processId` null where one does and does not answer. `unknown` where the state
   * is in an object store, which knows no processes.
   */
  readonly running: { readonly processId: number | null; readonly host: string | null } | 'unknown' | null;
  /** null: the job never started. */
  readonly checkpoint: CheckpointSummary | null;
}

/** A checkpoint in the words of an operator. */
export interface CheckpointSummary {
  readonly id: number;
  readonly jobId: string;
  readonly createdMs: number;
  readonly ageMs: number;
  readonly subtasks: number;
  readonly schema:
    | readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[]
    | null;
  readonly totals: Totals;
  /** How far event time has come; null where there is none. */
  readonly watermarkMs: number | null;
  /** Splits of the source that are being read or wait, at their positions. */
  readonly splits: readonly {
    readonly path: string;
    readonly offsetBytes: number;
    readonly endBytes: number | null;
  }[];
  readonly openParts: readonly {
    readonly bucket: string;
    readonly path: string;
    readonly rows: number;
    /** In the hidden file; the rest is in segments. */
    readonly durableBytes: number;
    readonly segmentBytes: number;
  }[];
  /** Partitions with rows that are not announced; null where the job announces none. */
  readonly partitions: PartitionState | null;
  /** Promised, and published or about to be: the next checkpoint acknowledges them. */
  readonly pendingParts: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[];
}

/** @throws SluiceError STATE_CORRUPT, STATE_VERSION, STATE_MISSING */
export async function readStatus(job: CompiledJob, fileSystem: FileSystem, clock: Clock): Promise<JobStatus> {
  const newest = await new CheckpointStore(fileSystem, job.statePath).load();
  if (newest === null) await proveNeverRan(fileSystem, job);
  return {
    job: job.name,
    state: job.statePath,
    running: await jobOwner(job.statePath),
    checkpoint: newest === null ? null : summarizeCheckpoint(newest, clock),
  };
}

/** A checkpoint file as an operator wants to see it. @throws SluiceError STATE_CORRUPT, STATE_VERSION */
export function inspectCheckpoint(bytes: Uint8Array, path: string, clock: Clock): CheckpointSummary {
  return summarizeCheckpoint(decodeCheckpoint(bytes, path), clock);
}

/** Whether a file begins like a checkpoint. */
export function isCheckpoint(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(18, bytes.length)).toString('latin1') ===
    'sluice-checkpoint '
  );
}

function summarizeCheckpoint(checkpoint: Checkpoint, clock: Clock): CheckpointSummary {
  // A replay's lane is not the source's, which is parked beside it.
  const splits: readonly Split[] = laneOf(checkpoint, 'source').enumerator?.splits ?? [];
  return {
    id: checkpoint.id,
    jobId: checkpoint.jobId,
    createdMs: checkpoint.createdMs,
    ageMs: Math.max(0, clock.now() - checkpoint.createdMs),
    subtasks: checkpoint.subtasks.length,
    schema:
      checkpoint.schema?.fields.map(({ name, type, nullable }) => ({
        name,
        type: formatDataType(type),
        nullable,
      })) ?? null,
    totals: checkpoint.totals,
    watermarkMs: checkpoint.eventTime?.watermarkMs ?? null,
    splits: splits.map(({ path, position, endByte }) => ({
      path,
      offsetBytes: position.offset,
      endBytes: endByte,
    })),
    openParts: openPartsOf(checkpoint).map((part) => ({
      bucket: part.bucketId,
      path: part.finalPath,
      rows: part.rows,
      durableBytes: part.file?.lengthBytes ?? 0,
      segmentBytes: part.tails.reduce((sum, tail) => sum + tail.lengthBytes, 0),
    })),
    partitions: checkpoint.partitions ?? null,
    pendingParts: checkpoint.committables.map(({ file, rows }) => ({
      path: file.finalPath,
      rows,
      bytes: file.lengthBytes,
    })),
  };
}
