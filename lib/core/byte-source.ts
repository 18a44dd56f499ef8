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

/** Reads until `into` is full or the source ends. @returns how many bytes */
export async function readFully(source: ByteSource, into: Uint8Array): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const read = await source.read(length === 0 ? into : into.subarray(length));
    if (read === 0) break;
    length += read;
  }
  return length;
}

/** Bytes that are in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  let rest = bytes;
  return {
    async read(into) {
      const length = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return length;
    },
    async close() {},
  };
}
