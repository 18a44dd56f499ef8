/** A stream of bytes that is pulled: the reader decides when, so nothing queues up. */
export interface ByteSource {
  /**
   * Reads up to `into.length` bytes. @returns how many; 0 means the end (never otherwise, unless `into` is empty)
   * @throws SluiceError
   */
  read(into: Uint8Array): Promise<number>;
  /** Lets go of handles. Calls may repeat. */
  close(): Promise<void>;
}
