/**
 * What coordinator and subtasks say to each other. Plain data: today it crosses a thread, and may cross a network.
 * Messages arrive in the order in which they were sent; that is what a checkpoint's consistency rests on.
 */
import type { Schema } from '../core/data-type.ts';
import type { ErrorMessage } from '../core/errors.ts';
import type { KeyWindowState } from '../core/key-window-state.ts';
import type { StageTimes } from '../core/stage-clock.ts';
import type { SinkSnapshot } from '../sink/sink-state.ts';
import type { Split, SplitOutcome } from '../source/split.ts';

export type ToSubtask =
  /**
   * Read this split, then those ahead. In one message: a subtask that asks again between two would count as one for which
   * nothing is left. Sent only to a subtask that asked.
   */
  | { readonly type: 'assign'; readonly split: Split; readonly ahead: readonly Split[] }
  /** Take a snapshot between two batches. */
  | {
      readonly type: 'snapshot';
      readonly checkpointId: number;
      /** Close every open part: the end of the input. */
      readonly closeAll: boolean;
      /** Let go of everything afterwards, and end: the job ends with this checkpoint. */
      readonly last: boolean;
      /** Now and the watermark, the same for all subtasks: what is due at this checkpoint is so for all or for none. */
      readonly times: EventTimes;
    }
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
  | {
      readonly type: 'snapshot';
      readonly subtask: number;
      readonly checkpointId: number;
      /** The split being read, at its position after the last batch that is in the sink. */
      readonly splits: readonly Split[];
      /** Read to their ends since the last snapshot. */
      readonly outcomes: readonly SplitOutcome[];
      /** Since the last snapshot. */
      readonly counts: SubtaskCounts;
      readonly sink: SinkSnapshot;
      /** null: the job has no quarantine. */
      readonly quarantine: SinkSnapshot | null;
      /** Left out: the job does not de-duplicate. */
      readonly keys?: KeyWindowState;
    }
  | { readonly type: 'ended'; readonly subtask: number; readonly times: StageTimes }
  | { readonly type: 'failed'; readonly subtask: number; readonly error: ErrorMessage };

export interface EventTimes {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** -Infinity while there is none. */
  readonly watermarkMs: number;
}

export interface SplitEventTime {
  readonly splitId: string;
  readonly newestMs: number;
}

export interface SubtaskCounts {
  readonly rows: number;
  /** Left out, by the policy skip. */
  readonly rejected: number;
  readonly quarantined: number;
  /** Bytes of the files as they are stored. */
  readonly bytesIn: number;
  /** Rows that came after the time of their bucket was over; whether they were kept is the policy's. */
  readonly late: number;
  /** Of these, the ones that are in no part. */
  readonly lateDropped: number;
  /** Rows that a filter of the job left out: `rows` does not count them. */
  readonly filtered: number;
  /** Of the filtered ones: their key had been seen. */
  readonly duplicates: number;
}
