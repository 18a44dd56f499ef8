/**
 * How far event time has come: the job's watermark, from the newest event times that subtasks report of their splits.
 * Flink: BoundedOutOfOrdernessWatermarks with per-split watermarks and idleness.
 *
 *     of a split   newest event time in it - max_out_of_orderness - 1
 *     of the job   the least of the splits being read, those set aside that gave no rows for idle_timeout;
 *                  of everything seen where nothing is being read and nothing waits
 *
 * It never goes back, a restart included: a row may be later than it (late), and what was closed because of it is closed.
 */
import type { Clock } from '../core/clock.ts';
import type { WatermarkSpec } from '../core/specs.ts';

/** What a checkpoint holds of it. JSON has no infinities: null stands for none yet. */
export interface WatermarkState {
  readonly watermarkMs: number | null;
  /** The newest event time of all. */
  readonly newestMs: number | null;
}

interface ActiveSplit {
  newestMs: number;
  /** When it last gave rows, on the monotonic clock. */
  activeAtMs: number;
  /** The split that is read after it by the same subtask, if that was handed out with it. */
  behind: string | null;
  /** Whether another one is read before it: until then it holds nothing back, as files do that nobody has. */
  isBehind: boolean;
}

const NONE = Number.NEGATIVE_INFINITY;

export class Watermarks {
  readonly #spec: WatermarkSpec;
  readonly #clock: Clock;
  /** A few dozen for each subtask. */
  readonly #splits = new Map<string, ActiveSplit>();
  #watermarkMs: number;
  #newestMs: number;
  readonly #held: boolean;

  /** @param held it stays where it was: a replay reads old records, and the source goes on where it stood afterwards */
  constructor(spec: WatermarkSpec, clock: Clock, restored: WatermarkState | null, held = false) {
    this.#spec = spec;
    this.#clock = clock;
    this.#held = held;
    this.#watermarkMs = restored?.watermarkMs ?? NONE;
    this.#newestMs = restored?.newestMs ?? NONE;
  }

  /** Milliseconds since 1970; -Infinity while there is none. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  get state(): WatermarkState {
    return { watermarkMs: finite(this.#watermarkMs), newestMs: finite(this.#newestMs) };
  }

  /** A state as it was before something ended that a checkpoint holds, for that checkpoint. */
  withEnded(state: WatermarkState, newestMs: readonly (number | undefined)[]): WatermarkState {
    if (this.#held) return state;
    const newest = newestMs.reduce<number>((most, ms = NONE) => Math.max(most, ms), state.newestMs ?? NONE);
    return { ...state, newestMs: finite(newest) };
  }

  /**
   * A split is being read from now on, or once another one was read.
   * @param newestMs of what was read of it before
   * @param before the split that the same subtask reads just before it; null: none
   */
  begin(splitId: string, newestMs: number, before: string | null = null): void {
    const first = before === null ? undefined : this.#splits.get(before);
    if (first !== undefined) first.behind = splitId;
    const isBehind = first !== undefined;
    this.#splits.set(splitId, { newestMs, activeAtMs: this.#clock.elapsed(), behind: null, isBehind });
  }

  /** What a split has given so far. */
  observe(splitId: string, newestMs: number): void {
    if (this.#held) return;
    const split = this.#splits.get(splitId);
    if (split === undefined) return;
    split.activeAtMs = this.#clock.elapsed();
    split.newestMs = Math.max(split.newestMs, newestMs);
    this.#newestMs = Math.max(this.#newestMs, newestMs);
  }

  /** A split was read to its end: the turn of the one behind it begins. */
  end(splitId: string): void {
    const next = this.#splits.get(this.#splits.get(splitId)?.behind ?? '');
    if (next !== undefined) {
      next.isBehind = false;
      next.activeAtMs = this.#clock.elapsed();
    }
    this.#splits.delete(splitId);
  }

  /**
   * Moves the watermark on as far as it goes.
   * @param waiting whether files are known that nobody reads yet: then the end of all splits is not the end of the input
   * @returns whether it moved
   */
  advance(waiting: boolean): boolean {
    if (this.#held) return false;
    const next = this.#bound(waiting);
    if (!(next > this.#watermarkMs)) return false;
    this.#watermarkMs = next;
    return true;
  }

  #bound(waiting: boolean): number {
    const { maxOutOfOrdernessMs, idleTimeoutMs } = this.#spec;
    const idleSince = idleTimeoutMs === null ? NONE : this.#clock.elapsed() - idleTimeoutMs;
    let least = Number.POSITIVE_INFINITY;
    for (const { newestMs, activeAtMs, isBehind } of this.#splits.values()) {
      if (!isBehind && activeAtMs > idleSince) least = Math.min(least, newestMs);
    }
    if (least === Number.POSITIVE_INFINITY) {
      if (waiting && this.#splits.size === 0) return NONE;
      least = this.#newestMs;
    }
    return least - maxOutOfOrdernessMs - 1;
  }
}

function finite(ms: number): number | null {
  return ms === NONE ? null : ms;
}
