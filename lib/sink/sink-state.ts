/** What a checkpoint holds of a subtask's sink. Plain JSON; versioned with the checkpoint that holds it. */
import type { Schema } from '../core/data-type.ts';
import type { PendingFile, ResumePoint } from '../storage/recoverable-writer.ts';

export interface SinkState {
  /** Part names use counters from here on. */
  readonly nextCounter: number;
  readonly openParts: readonly OpenPart[];
  /** Of the open parts; left out where there are none (and in states of before schemas could change: the job's). */
  readonly schema?: Schema;
}

/** An in-progress part: durable bytes in its hidden file, then rows in segments. */
export interface OpenPart {
  readonly bucketId: string;
  readonly finalPath: string;
  readonly creationTimeMs: number;
  /** The newest checkpoint when it was created: rows of earlier ones are in other parts. 0 where not known. */
  readonly sinceCheckpoint?: number;
  readonly lastUpdateTimeMs: number;
  readonly rows: number;
  /** null while nothing was written: the hidden file does not exist yet. */
  readonly file: ResumePoint | null;
  /** BulkWriter.footer at the file's length. */
  readonly footer: unknown;
  /** Rows that follow, in order. */
  readonly tails: readonly TailReference[];
}

/** A piece of a segment file. */
export interface TailReference {
  readonly segment: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly crc32: number;
  /** Of this piece. */
  readonly rows: number;
  /** The checkpoint that wrote it. */
  readonly checkpointId: number;
}

/** A closed part that its checkpoint promises to publish. */
export interface Committable {
  readonly bucketId: string;
  readonly file: PendingFile;
  readonly rows: number;
  /** When the part was begun; absent in checkpoints that are older than the field. */
  readonly creationTimeMs?: number;
}

export interface SinkSnapshot {
  readonly state: SinkState;
  readonly committables: readonly Committable[];
}
