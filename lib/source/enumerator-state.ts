/** What a checkpoint holds of the enumerator, besides the table of known files. Plain JSON. */
import { SluiceError } from '../core/errors.ts';
import { isHomeless } from './homeless-splits.ts';
import type { RealmState } from './realms.ts';
import { checkSplit, isUntouched, type Split, type SplitOutcome } from './split.ts';

export const ENUMERATOR_VERSION = 1;

export interface EnumeratorState {
  readonly version: typeof ENUMERATOR_VERSION;
  /** Number of the next file taken. */
  readonly nextFile: number;
  readonly realms: readonly RealmState[];
  /** Splits that nobody reads. Those being read are in the subtasks' states. */
  readonly splits: readonly Split[];
}

export const NO_ENUMERATOR_STATE: EnumeratorState = {
  version: ENUMERATOR_VERSION,
  nextFile: 1,
  realms: [],
  splits: [],
};

/** Checks what comes out of a checkpoint. @throws SluiceError STATE_CORRUPT, STATE_VERSION */
export function checkEnumeratorState(value: unknown): EnumeratorState {
  const state = value as EnumeratorState;
  if (typeof value !== 'object' || value === null) {
    throw new SluiceError('STATE_CORRUPT', 'the state of the file source is missing');
  }
  if (state.version !== ENUMERATOR_VERSION) {
    throw new SluiceError(
      'STATE_VERSION',
      `the state of the file source is of version ${state.version}, known is ${ENUMERATOR_VERSION}`,
    );
  }
  const valid =
    Number.isSafeInteger(state.nextFile) &&
    state.nextFile >= 1 &&
    Array.isArray(state.realms) &&
    Array.isArray(state.splits);
  if (!valid) throw new SluiceError('STATE_CORRUPT', 'the state of the file source is damaged');
  for (const split of state.splits) checkSplit(split);
  return state;
}

/** How splits of a subtask ended since its answer for the checkpoint before, oldest first; one may have ended several times. */
export interface SubtaskOutcomes {
  readonly subtask: number;
  readonly outcomes: readonly SplitOutcome[];
  /** Those that it has. */
  readonly splits: readonly Split[];
}

/**
 * The state of a checkpoint, captured when it began, together with how splits ended until each subtask answered. A split
 * that ended untouched (its file was gone or had changed) is in no subtask's state any more, and the captured table of
 * known files still says that it was taken: kept here, a restart opens it again and comes to the same conclusion,
 * instead of never reading the file. So it is with one of a followed file that has another name by now.
 *
 * Only of splits that a subtask had when the state was captured: of those that ended before, the enumerator knew, and
 * what is left of them is in its state, or was given out again and may have been read to its end.
 * @param assigned subtask by split at the capture. What is given out later comes to a subtask after its answer
 */
export function withOutcomes(
  state: EnumeratorState,
  assigned: ReadonlyMap<string, number>,
  answers: readonly SubtaskOutcomes[],
): EnumeratorState {
  const held: Split[] = [];
  for (const { subtask, outcomes, splits } of answers) {
    const has = new Set(splits.map(({ id }) => id));
    const last = new Map(outcomes.map((outcome) => [outcome.split.id, outcome]));
    for (const { kind, split } of last.values()) {
      if (assigned.get(split.id) !== subtask || has.has(split.id)) continue;
      if (kind !== 'read' && (isUntouched(split) || isHomeless({ kind, split }))) held.push(split);
    }
  }
  return held.length === 0 ? state : { ...state, splits: [...state.splits, ...held] };
}
