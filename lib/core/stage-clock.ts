/**
 * Where a subtask's time goes, by stage, for `--timings` and the benchmarks. At any moment the time is one stage's: a
 * stage that is entered inside another stops the outer one's count, so the figures add up to the subtask's life.
 *
 *   read        waiting for bytes, cutting them into windows
 *   decode      bytes into columns
 *   assign      a bucket for each row
 *   gather      rows into their bucket's buffer (row formats: encoded, in the same step)
 *   encode      buffers into row groups and pages
 *   compress    pages and members
 *   write       waiting because too much waits for the disk already
 *   checkpoint  the rest of a snapshot: what is in no part yet into a segment, and all of it made durable
 *   idle        waiting for splits and messages; finished writes are looked after then
 */
export const STAGES = [
  'read',
  'decode',
  'assign',
  'gather',
  'encode',
  'compress',
  'write',
  'checkpoint',
  'idle',
] as const;
export type Stage = (typeof STAGES)[number];
/** Milliseconds. */
export type StageTimes = Readonly<Record<Stage, number>>;

export function noStageTimes(): Record<Stage, number> {
  return {
    read: 0,
    decode: 0,
    assign: 0,
    gather: 0,
    encode: 0,
    compress: 0,
    write: 0,
    checkpoint: 0,
    idle: 0,
  };
}

/** Some 60 ns a call, and called a few times a batch and a page, so it is always on. */
export class StageClock {
  readonly #elapsed: () => number;
  readonly #times = noStageTimes();
  #stage: Stage = 'idle';
  #since: number;

  /** @param elapsed monotonic milliseconds */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#since = elapsed();
  }

  /** From now on time is that stage's. @returns the stage so far, to be entered again at the end */
  enter(stage: Stage): Stage {
    const now = this.#elapsed();
    const before = this.#stage;
    this.#times[before] += now - this.#since;
    this.#since = now;
    this.#stage = stage;
    return before;
  }

  /** Up to now. */
  get times(): StageTimes {
    this.enter(this.#stage);
    return { ...this.#times };
  }
}

/** For what is used outside a job: nobody asks where its time went. */
export const UNTIMED = new StageClock(() => 0);
