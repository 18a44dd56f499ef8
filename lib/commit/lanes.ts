/**
 * A job reads from one of two lanes at a time: its source, or what it has quarantined (`sluice replay`). Each has an
 * enumerator's state and a table of known files of its own; schema, sink, totals and committables are the job's. The lane
 * that is not read is parked in the checkpoint as it was, with the splits that subtasks were reading.
 */
import type { EnumeratorState } from '../source/enumerator-state.ts';
import { NO_ENUMERATOR_STATE } from '../source/enumerator-state.ts';
import type { SegmentPiece } from '../storage/segment-file.ts';
import type { Checkpoint } from './checkpoint.ts';

export type Lane = 'source' | 'replay';

export interface ParkedLane {
  readonly enumerator: EnumeratorState | null;
  readonly discovery: readonly SegmentPiece[];
}

/** The checkpoint as a run of `lane` goes on from it. */
export function switchLane(checkpoint: Checkpoint, lane: Lane): Checkpoint {
  if ((checkpoint.lane ?? 'source') === lane) return checkpoint;
  const { lane: _before, parked: next, ...rest } = checkpoint;
  return {
    ...rest,
    ...(lane === 'source' ? {} : { lane }),
    subtasks: checkpoint.subtasks.map((subtask) => ({ ...subtask, splits: [] })),
    enumerator: next?.enumerator ?? null,
    discovery: next?.discovery ?? [],
    parked: park(checkpoint),
  };
}

/** The state of one lane, whichever is being read. */
export function laneOf(checkpoint: Checkpoint, lane: Lane): ParkedLane {
  return (checkpoint.lane ?? 'source') === lane
    ? park(checkpoint)
    : (checkpoint.parked ?? { enumerator: null, discovery: [] });
}

/** Splits that subtasks were reading go back to the enumerator: their files were taken first. */
function park({ enumerator, discovery, subtasks }: Checkpoint): ParkedLane {
  const reading = subtasks.flatMap(({ splits }) => splits);
  if (enumerator === null && reading.length === 0) return { enumerator: null, discovery };
  const state = enumerator ?? NO_ENUMERATOR_STATE;
  return { enumerator: { ...state, splits: [...reading, ...state.splits] }, discovery };
}
