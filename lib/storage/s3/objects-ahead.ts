/**
 * Small objects that are read before they are asked for. A request takes longer than the reading of a small object, so
 * without this a subtask would wait most of the time.
 *
 * They are kept by path and version: whoever asks for another version does not get them. A request that failed counts
 * as none; the reader makes its own, and meets the error where it can be dealt with.
 */
import pLimit from 'p-limit';
import type { ByteSource } from '../../core/byte-source.ts';
import type { FileVersion } from '../file-system.ts';
import type { ObjectSource } from './object-source.ts';

/** Under way or waiting to be read, a subtask: more are not read ahead. */
const MAX_OBJECTS = 32;
const MAX_BYTES = 4 * 1024 * 1024;
/** Requests under way at once. */
const MAX_REQUESTS = 8;

interface Ahead {
  readonly identity: bigint;
  readonly sizeBytes: number;
  /** null where it could not be read. */
  readonly bytes: Promise<Uint8Array | null>;
}

export class ObjectsAhead {
  readonly #objects = new Map<string, Ahead>();
  readonly #limit = pLimit(MAX_REQUESTS);
  #sizeBytes = 0;
  #closed = false;

  /** Begins to read an object, unless there is no room for it. @param open at its first byte, in that version */
  add(path: string, version: FileVersion, open: () => Promise<ObjectSource>): void {
    const { identity, sizeBytes } = version;
    if (identity === undefined || this.#closed || this.#objects.has(path)) return;
    if (this.#objects.size >= MAX_OBJECTS || this.#sizeBytes + sizeBytes > MAX_BYTES) return;
    const bytes = this.#limit(() => (this.#closed ? null : readWhole(open, sizeBytes))).catch(() => null);
    this.#objects.set(path, { identity, sizeBytes, bytes });
    this.#sizeBytes += sizeBytes;
  }

  /** Gives an object away, once; null where there is none of that version. */
  async take(path: string, offset: number, version: FileVersion | undefined): Promise<ByteSource | null> {
    const ahead = this.#objects.get(path);
    if (ahead === undefined) return null;
    this.#objects.delete(path);
    this.#sizeBytes -= ahead.sizeBytes;
    if (ahead.identity !== version?.identity || ahead.sizeBytes !== version.sizeBytes) return null;
    const bytes = await ahead.bytes;
    return bytes === null ? null : sourceOf(bytes.subarray(offset));
  }

  /** What is under way is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#objects.values()].map(({ bytes }) => bytes));
    this.#objects.clear();
    this.#sizeBytes = 0;
  }
}

/** null where it is not as long as it has to be. */
async function readWhole(open: () => Promise<ObjectSource>, sizeBytes: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(sizeBytes);
  const source = await open();
  try {
    for (let at = 0; at < sizeBytes; ) {
      const read = await source.read(bytes.subarray(at));
      if (read === 0) return null;
      at += read;
    }
    return bytes;
  } finally {
    await source.close();
  }
}

function sourceOf(bytes: Uint8Array): ByteSource {
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
