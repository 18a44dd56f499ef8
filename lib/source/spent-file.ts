/** A file whose rows are all in a checkpoint: what becomes of it (`source.after_commit`) is done once they are visible. */
export interface SpentFile {
  readonly path: string;
  /** As it was taken: a file that has changed since is another one. */
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, in decimal. */
  readonly modifiedNs: string;
  /** The first checkpoint that holds all its rows. */
  readonly checkpointId: number;
  /** When that checkpoint was taken, milliseconds since 1970: a file that began to exist later is a new one. */
  readonly checkpointMs: number;
}
