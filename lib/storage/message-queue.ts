/** A queue that others put messages into, as far as a source needs it. */

export interface QueueMessage {
  readonly body: string;
  /** What `remove` takes. */
  readonly receipt: string;
}

export interface MessageQueue {
  /**
   * Some messages, none where none came meanwhile; they are given again later unless removed.
   * @param waitSeconds 0 to 20
   * @throws SluiceError ACCESS_DENIED, NOT_FOUND, STORAGE_UNAVAILABLE
   */
  receive(waitSeconds: number, signal: AbortSignal): Promise<readonly QueueMessage[]>;
  /** Calls may repeat. @throws as `receive` */
  remove(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void>;
  close(): void;
}
