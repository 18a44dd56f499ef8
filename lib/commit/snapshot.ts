/** What a checkpoint asks of a subtask, and what that answers. Plain data. */
import type { EventTimes } from '../core/event-times.ts';
import type { KeyWindowState } from '../core/key-window-state.ts';
import type { SinkSnapshot } from '../sink/sink-state.ts';
import type { Split, SplitOutcome } from '../source/split.ts';

export interface CheckpointRequest {
  /** Close every open part: the end of the input. */
  readonly closeAll: boolean;
  /** Let go of everything afterwards, and end: the job ends with this checkpoint. */
  readonly last: boolean;
}

export interface SnapshotRequest extends CheckpointRequest {
  /** Now and the watermark, the same for all subtasks: what is due at this checkpoint is so for all or for none. */
  readonly times: EventTimes;
}

export interface SnapshotAnswer {
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
