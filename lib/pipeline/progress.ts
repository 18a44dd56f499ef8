/** What a running job tells about itself. */
import type { SchemaChange } from '../core/schema-change.ts';
import type { StageTimes } from '../core/stage-clock.ts';

export interface JobProgress {
  readonly filesKnown: number;
  readonly filesDone: number;
  readonly bytesRead: number;
  /** Of the files known so far. */
  readonly bytesLeft: number;
  readonly rows: number;
  readonly rejected: number;
  readonly quarantined: number;
  readonly filtered: number;
  readonly openParts: number;
  readonly partsCommitted: number;
  readonly bytesOut: number;
  /** The newest durable checkpoint. */
  readonly checkpointId: number;
}

export type JobEvent =
  | {
      readonly type: 'recovered';
      readonly checkpointId: number;
      readonly openParts: number;
      readonly committed: number;
    }
  | {
      readonly type: 'checkpoint';
      readonly id: number;
      readonly durationMs: number;
      readonly bytes: number;
      readonly parts: number;
    }
  | {
      readonly type: 'schema';
      readonly version: number;
      readonly changes: readonly SchemaChange[];
      /** The file whose record asked for it. */
      readonly path: string;
    }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

/** Of one run, not of the job's life. Snake case: this is what `--json` prints. */
export interface JobSummary {
  readonly job: string;
  readonly files: number;
  readonly rows: number;
  readonly rejected: number;
  /** Rows that came after the time of their bucket was over. */
  readonly late: number;
  /** Rows that a filter of the job left out: `rows` does not count them. */
  readonly filtered: number;
  /** Of the filtered ones: their key had been seen. */
  readonly duplicates: number;
  readonly quarantined: number;
  readonly bytes_in: number;
  readonly parts: number;
  readonly bytes_out: number;
  readonly seconds: number;
  readonly checkpoints: number;
  /** Whether a signal ended it before the input was at its end. */
  readonly stopped: boolean;
  /** Milliseconds by stage, summed over subtasks; for `--timings`. */
  readonly timings: StageTimes;
}
