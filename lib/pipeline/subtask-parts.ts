/** What a subtask is made of. */
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { EventTimes } from '../core/event-times.ts';
import type { Pace } from '../core/pace.ts';
import type { PartFileInfo } from '../core/rolling-policy.ts';
import type { StageClock } from '../core/stage-clock.ts';
import type { Buckets } from '../sink/buckets.ts';
import type { EvolvingSink } from '../sink/evolving-sink.ts';
import type { FilesAhead } from '../source/files-ahead.ts';
import type { SplitReader } from '../source/split-reader.ts';
import type { Warnings } from '../source/warnings.ts';
import type { KeyWindow } from '../transform/key-window.ts';
import type { RowTransform } from '../transform/row-transform.ts';
import type { EventTimeOf, Refusals } from './batch-writer.ts';
import type { FromSubtask } from './messages.ts';
import type { Quarantine } from './quarantine.ts';

/** What depends on the schema of the rows. */
export interface Evolved {
  readonly reader: SplitReader;
  /** null: rows are written as they are read. */
  readonly transform: RowTransform | null;
  readonly eventTime: EventTimeOf | null;
  readonly refusals: Refusals;
  readonly buckets: Buckets;
}

export interface SubtaskParts {
  readonly subtask: number;
  readonly reader: SplitReader;
  /** null where splits are not read ahead. */
  readonly ahead: FilesAhead | null;
  readonly transform: RowTransform | null;
  readonly sink: EvolvingSink;
  /** Where refused records go; null where the job has no quarantine. */
  readonly quarantine: Quarantine | null;
  /** Keys of the rows that were read; null where the job does not de-duplicate. */
  readonly window: KeyWindow | null;
  readonly firstCheckpointId: number;
  readonly schemaVersion: number;
  /** Makes what comes after a change of schema. */
  readonly evolve: (schema: Schema) => Promise<Evolved>;
  /** Event times of a batch's rows; null where the job has none. */
  readonly eventTime: EventTimeOf | null;
  /** See Evolved. */
  readonly refusals: Refusals;
  /** How often the sink's timer runs. */
  readonly bucketCheckIntervalMs: number;
  /** null: as fast as it goes. */
  readonly pace: Pace | null;
  /** Whether a part's partition is announced with a checkpoint of these times, so that it has to be closed. */
  readonly isDue: ((part: PartFileInfo, times: EventTimes) => boolean) | null;
  readonly clock: Clock;
  /** The one that the readers tell, too. */
  readonly warnings: Warnings;
  /** The one that reader and sink enter their stages in. */
  readonly stages: StageClock;
  readonly send: (message: FromSubtask) => void;
}
