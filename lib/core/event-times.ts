/** The two clocks of a job at one moment. */
export interface EventTimes {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** -Infinity while there is none. */
  readonly watermarkMs: number;
}
