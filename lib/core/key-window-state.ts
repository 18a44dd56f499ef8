/** What the window of a subtask is at a checkpoint. Plain JSON. */
export interface KeyWindowState {
  /** Columns that the keys are of. */
  readonly key: readonly string[];
  /** 16 bytes a key, oldest first, in base64. */
  readonly hashes: string;
}
