/** How a job is run. */
import type { StartMerging } from '../compaction/merge-host.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { ProcessingMode } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { JobEvent, JobProgress } from './progress.ts';
import type { StartSubtask } from './subtask-host.ts';

export interface RunOptions {
  /** once: Flink's PROCESS_ONCE, until the input is at its end · continuously: PROCESS_CONTINUOUSLY, until it is stopped. */
  readonly mode: ProcessingMode;
  /** Reads replay files in this folder instead of the source (null: nothing at all): see replay.ts. */
  readonly replay?: { readonly folder: string | null };
  /** Globs of partitions that were dropped: open parts that went with them are no loss. */
  readonly acceptMissing?: readonly string[];
  /** Aborting it stops the job in good order. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly onEvent?: (event: JobEvent) => void;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** For tests: other storage than the local disk. */
  readonly fileSystem?: (runId: string) => FileSystem;
  /** Where subtasks and merges run; threads of their own unless given. */
  readonly startSubtask?: StartSubtask;
  readonly startMerging?: StartMerging;
}
