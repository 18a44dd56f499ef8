/** All a subtask is made from. Plain data, since it may be made on another thread. */
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import type { KeyWindowState } from '../core/key-window-state.ts';
import type { SinkState } from '../sink/sink-state.ts';

export interface SubtaskConfig {
  readonly subtask: number;
  readonly job: CompiledJob;
  readonly jobId: string;
  readonly runId: string;
  /** Of the rows that the source gives. */
  readonly schema: Schema;
  readonly schemaVersion: number;
  /** Columns that it began with: those behind them came later. */
  readonly baseColumns: number;
  /** This subtask's share of the memory budget. */
  readonly memoryBytes: number;
  readonly segmentsFolder: string;
  /** The checkpoint that the run begins with. */
  readonly checkpointId: number;
  /** What earlier subtasks left open and this one continues. */
  readonly restored: readonly SinkState[];
  /** The same of the quarantine. */
  readonly restoredQuarantine: readonly SinkState[];
  /** Keys that earlier runs saw; left out: none. */
  readonly restoredKeys?: KeyWindowState;
  /** Of the first checkpoint that this run takes. */
  readonly firstCheckpointId: number;
  /** Whether it reads replay files, not the source's. */
  readonly replay: boolean;
}
