/**
 * A checkpoint: everything that is known about a job's progress, in one file. The first line names the kind of file,
 * its version and the SHA-256 of the rest; the rest is JSON, so that an operator can read it.
 */
import { createHash } from 'node:crypto';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { KeyWindowState } from '../core/key-window-state.ts';
import type { SchemaVersion } from '../core/schema-change.ts';
import type { Committable, OpenPart, SinkState } from '../sink/sink-state.ts';
import type { EnumeratorState } from '../source/enumerator-state.ts';
import type { SpentFile } from '../source/spent-file.ts';
import type { Split } from '../source/split.ts';
import type { SegmentPiece } from '../storage/segment-file.ts';
import type { TableState } from './lake-table.ts';
import type { ParkedLane } from './lanes.ts';
import type { LedgerState } from './ledger/ledger.ts';
import type { PartitionState } from './partitions/partition-state.ts';
import type { ReplacedPart } from './publication.ts';
import type { CompactionState } from './swap.ts';
import type { WatermarkState } from './watermarks.ts';
import type { SchemaState } from './written-columns.ts';

const CHECKPOINT_VERSION = 1;

export interface Checkpoint {
  /** 1, 2, 3 ... */
  readonly id: number;
  /** 8 hex digits, made once a job. */
  readonly jobId: string;
  readonly jobName: string;
  /** The run that wrote it. */
  readonly runId: string;
  readonly createdMs: number;
  /** What of the job file must not change while this state lives. */
  readonly fingerprint: JobFingerprint;
  /** Of the rows as the source gives them; fixed at the first start but for what may change. null until it is known. */
  readonly schema: Schema | null;
  /** How it came to be, oldest first. Absent in checkpoints of before it could change. */
  readonly schemaHistory?: readonly SchemaVersion[];
  /** The columns of the rows as they are written. Absent where they always were written as they are read. */
  readonly columns?: SchemaState;
  readonly enumerator: EnumeratorState | null;
  /** Segments that, applied in order, tell which files were taken. */
  readonly discovery: readonly SegmentPiece[];
  /** Which lane `enumerator`, `discovery` and the subtasks' splits are of; left out: the job's source. */
  readonly lane?: 'replay';
  /** The other lane, as it was left. */
  readonly parked?: ParkedLane;
  readonly subtasks: readonly SubtaskState[];
  /** Parts that this checkpoint promises to publish and that no later one has acknowledged. */
  readonly committables: readonly Committable[];
  /** Files to be deleted or moved once their rows are visible; `source.after_commit`. */
  readonly spent?: readonly SpentFile[];
  readonly totals: Totals;
  /** Left out where nothing was ever merged. */
  readonly compaction?: CompactionState;
  /** Parts that compaction replaced and that are still there for readers. Absent in older checkpoints. */
  readonly replaced?: readonly ReplacedPart[];
  /** The table that was told of everything before this checkpoint; null or absent where there was none. */
  readonly table?: TableState | null;
  /** Where a program that drives the sink itself goes on reading. JSON of its own. */
  readonly position?: unknown;
  /** Absent where the job has no event time. */
  readonly eventTime?: WatermarkState;
  /** Absent where the job does not announce partitions. */
  readonly partitions?: PartitionState;
  /** What was read and written since the job began. Absent in checkpoints of before it was kept. */
  readonly ledger?: LedgerState;
}

export interface SubtaskState {
  readonly splits: readonly Split[];
  readonly sink: SinkState;
  /** Left out: nothing was ever quarantined. */
  readonly quarantine?: SinkState;
  /** Left out: the job does not de-duplicate. */
  readonly keys?: KeyWindowState;
}

/** Every part that is open, of the lake and of the quarantine. */
export function openPartsOf(checkpoint: Pick<Checkpoint, 'subtasks'>): OpenPart[] {
  return checkpoint.subtasks.flatMap(({ sink, quarantine }) => [
    ...sink.openParts,
    ...(quarantine?.openParts ?? []),
  ]);
}

/** Names of the segments that a recovery from the checkpoint reads, and how many bytes of each. */
export function segmentsOf({
  discovery,
  parked,
  ledger,
  subtasks,
}: Pick<Checkpoint, 'discovery' | 'parked' | 'ledger' | 'subtasks'>): Map<string, number> {
  const needed = new Map<string, number>();
  const need = (segment: string, toByte: number) =>
    needed.set(segment, Math.max(needed.get(segment) ?? 0, toByte));
  for (const pieces of [discovery, parked?.discovery ?? [], ledger?.pieces ?? []])
    for (const { segment, lengthBytes } of pieces) need(segment, lengthBytes);
  for (const { tails } of openPartsOf({ subtasks }))
    for (const { segment, offsetBytes, lengthBytes } of tails) need(segment, offsetBytes + lengthBytes);
  return needed;
}

/** Sections of a job file, as JSON text, whose change would make state and job disagree. */
export type JobFingerprint = Readonly<Record<string, string>>;

/** Since the job began. */
export interface Totals {
  readonly files: number;
  readonly rows: number;
  readonly rejected: number;
  readonly bytesIn: number;
  readonly parts: number;
  readonly bytesOut: number;
  readonly missingFiles: number;
  /** Rows that came after the time of their bucket was over. 0 in checkpoints that are older than the count. */
  readonly late: number;
  /** Absent in checkpoints of before there was a quarantine. */
  readonly quarantined?: number;
  /** Rows that a filter of the job left out; absent in checkpoints of before there were filters. */
  readonly filtered?: number;
  /** Of the filtered ones, those whose key had been seen; absent in checkpoints of before they were told apart. */
  readonly duplicates?: number;
  /** Of the quarantined ones, how many were read once more by `replay`. */
  readonly replayed?: number;
}

export const NO_TOTALS: Totals = {
  files: 0,
  rows: 0,
  rejected: 0,
  bytesIn: 0,
  parts: 0,
  bytesOut: 0,
  missingFiles: 0,
  late: 0,
};

const HASH_DIGITS = 64;
const headerOf = (sha256: string) => `sluice-checkpoint ${CHECKPOINT_VERSION} ${sha256}\n`;
const HEADER = /^sluice-checkpoint (\d{1,9}) ([0-9a-f]{64})\n$/;
/** The longest header there is. */
const MAX_HEADER_BYTES = 128;

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const text = `${JSON.stringify(checkpoint)}\n`;
  // In one piece: with 10,000 open parts it is 33 MB.
  const headerBytes = headerOf('0'.repeat(HASH_DIGITS)).length;
  const bytes = Buffer.allocUnsafeSlow(headerBytes + Buffer.byteLength(text));
  bytes.write(text, headerBytes);
  bytes.write(headerOf(createHash('sha256').update(bytes.subarray(headerBytes)).digest('hex')));
  return bytes;
}

/** @throws SluiceError STATE_CORRUPT, STATE_VERSION. `name` says which file, for the message. */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.subarray(0, MAX_HEADER_BYTES).indexOf(10) + 1;
  const header = HEADER.exec(buffer.toString('latin1', 0, end));
  if (header === null) throw corrupt(name, 'it does not begin like a checkpoint');
  const version = Number(header[1]);
  if (version !== CHECKPOINT_VERSION) {
    throw new SluiceError(
      'STATE_VERSION',
      `the checkpoint ${name} is of version ${version}, and this program knows version ${CHECKPOINT_VERSION}`,
      {
        hint:
          version > CHECKPOINT_VERSION
            ? 'use the newer sluice that wrote it'
            : 'use an older sluice that can read it',
      },
    );
  }
  const body = buffer.subarray(end);
  if (createHash('sha256').update(body).digest('hex') !== header[2])
    throw corrupt(name, 'its checksum is wrong');
  // The checksum proves that we wrote it, so its shape is that of the version.
  const checkpoint = JSON.parse(body.toString()) as Checkpoint;
  return { ...checkpoint, totals: { ...NO_TOTALS, ...checkpoint.totals } };
}

function corrupt(name: string, why: string): SluiceError {
  return new SluiceError('STATE_CORRUPT', `the checkpoint ${name} is damaged: ${why}`, {
    hint: 'restore the state folder from a backup. sluice does not fall back to an older checkpoint by itself, because parts may have been published since',
  });
}
