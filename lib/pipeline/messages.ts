/**
 * What coordinator and subtasks say to each other. Plain data: today it crosses a thread, and may cross a network.
 * Messages arrive in the order in which they were sent; that is what a checkpoint's consistency rests on.
 */
import type { SnapshotAnswer, SnapshotRequest, SubtaskCounts } from '../commit/snapshot.ts';
import type { Schema } from '../core/data-type.ts';
import type { ErrorMessage } from '../core/errors.ts';
import type { StageTimes } from '../core/stage-clock.ts';
import type { Split, SplitOutcome } from '../source/split.ts';

export type ToSubtask =
  /**
   * Read this split, then those ahead. In one message: a subtask that asks again between two would count as one for which
   * nothing is left. Sent only to a subtask that asked.
   */
  | { readonly type: 'assign'; readonly split: Split; readonly ahead: readonly Split[] }
  /** Take a snapshot between two batches. */
  | ({ readonly type: 'snapshot'; readonly checkpointId: number } & SnapshotRequest)
  /** How far event time has come. Not queued behind other messages. */
  | { readonly type: 'watermark'; readonly watermarkMs: number }
  /**
   * Rows are of this schema from now on. Open parts are closed: none holds rows of two schemas. Sent to all subtasks before
   * they are asked for a snapshot that says so.
   */
  | {
      readonly type: 'schema';
      readonly version: number;
      readonly schema: Schema;
      /** The number of this subtask's proposal that is answered; null: another one's led to it. */
      readonly answers: number | null;
    }
  /** End at once. Nothing is tidied up: that is a restart's work, whatever ended the process. */
  | { readonly type: 'end' };

export type FromSubtask =
  /** The sink is restored; nothing was read yet. */
  | { readonly type: 'ready'; readonly subtask: number; readonly openParts: number }
  | { readonly type: 'split-request'; readonly subtask: number }
  /** In their order. Small files end by the dozen: they are told together, before a request, a progress and a snapshot. */
  | { readonly type: 'splits-finished'; readonly subtask: number; readonly outcomes: readonly SplitOutcome[] }
  | {
      readonly type: 'progress';
      readonly subtask: number;
      readonly counts: SubtaskCounts;
      readonly openParts: number;
      /** The split being read and the newest event time in it; null where none is read, or none has a time. */
      readonly eventTime: SplitEventTime | null;
    }
  /** The next record needs columns that the schema does not have. The subtask reads nothing until it is answered. */
  | {
      readonly type: 'schema-proposal';
      readonly subtask: number;
      /** 1, 2, 3 ... */
      readonly number: number;
      readonly seen: Schema;
      readonly path: string;
    }
  | { readonly type: 'warning'; readonly subtask: number; readonly code: string; readonly message: string }
  | SnapshotAnswer
  | { readonly type: 'ended'; readonly subtask: number; readonly times: StageTimes }
  | { readonly type: 'failed'; readonly subtask: number; readonly error: ErrorMessage };

export interface SplitEventTime {
  readonly splitId: string;
  readonly newestMs: number;
}
