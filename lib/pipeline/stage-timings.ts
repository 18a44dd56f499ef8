/** Where a subtask's time goes, in milliseconds by stage, for `--timings`. */
export const STAGES = ['read', 'decode', 'sink', 'snapshot', 'idle'] as const;
export type Stage = (typeof STAGES)[number];
export type StageTimes = Readonly<Record<Stage, number>>;

export const NO_TIMES: StageTimes = { read: 0, decode: 0, sink: 0, snapshot: 0, idle: 0 };

/** Adds up; costs some 50 ns a call, and is called a few times a batch. */
export class StageTimings {
  readonly times: Record<Stage, number> = { read: 0, decode: 0, sink: 0, snapshot: 0, idle: 0 };
  readonly #elapsed: () => number;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Runs a step and books its time, awaiting included. */
  async measure<T>(stage: Stage, step: () => Promise<T>): Promise<T> {
    const start = this.#elapsed();
    try {
      return await step();
    } finally {
      this.times[stage] += this.#elapsed() - start;
    }
  }
}
