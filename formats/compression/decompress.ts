/**
 * Decompressing input as it is pulled: nothing is read ahead but what one chunk gives, so a bomb costs time and no
 * memory. Files of several members or frames are read to their end. What is torn or altered is an error, never a short
 * file.
 */
import type { Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ByteSource } from '../../lib/core/byte-source.ts';
import { SluiceError, unreachable } from '../../lib/core/errors.ts';
import type { Compression } from '../../lib/core/specs.ts';
import { bzip2Chunks } from './bzip2-blocks.ts';
import { lz4Chunks } from './lz4-frame.ts';
import { snappyChunks } from './snappy-frames.ts';
import { zstdChunks } from './zstd-frames.ts';

/** Compressed bytes read at a time. */
const INPUT_BYTES = 64 * 1024;
/** Decompressed bytes that come out at a time. */
const OUTPUT_BYTES = 256 * 1024;

/** @param name of the file, for errors. @throws SluiceError INPUT_CORRUPT from `read` */
export function decompressed(
  source: ByteSource,
  kind: Exclude<Compression, 'none'>,
  name: string,
): ByteSource {
  return new DecompressedSource(source, kind, name);
}

class DecompressedSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #kind: Exclude<Compression, 'none'>;
  readonly #name: string;
  /** What came out and was not asked for yet. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource, kind: Exclude<Compression, 'none'>, name: string) {
    this.#source = source;
    this.#kind = kind;
    this.#name = name;
    this.#chunks = chunksOf(source, kind)[Symbol.asyncIterator]();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#rest.length === 0) {
      const next = await this.#next();
      if (next === null) return 0;
      this.#rest = next;
    }
    const size = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, size));
    this.#rest = this.#rest.subarray(size);
    return size;
  }

  async close(): Promise<void> {
    this.#rest = new Uint8Array(0);
    await this.#chunks.return?.();
    await this.#source.close();
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const { value, done } = await this.#chunks.next();
      return done === true ? null : value;
    } catch (error) {
      if (error instanceof SluiceError && error.code !== 'INPUT_CORRUPT') throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new SluiceError('INPUT_CORRUPT', `${this.#name} is not valid ${this.#kind}: ${why}`, {
        hint: 'the file is torn or damaged: replace it, or exclude it',
        details: { path: this.#name },
        cause: error,
      });
    }
  }
}

function chunksOf(source: ByteSource, kind: Exclude<Compression, 'none'>): AsyncIterable<Uint8Array> {
  if (kind === 'gzip') return throughStream(source, createGunzip({ chunkSize: OUTPUT_BYTES }));
  const input = inputOf(source);
  switch (kind) {
    case 'zstd':
      return zstdChunks(input);
    case 'bzip2':
      return bzip2Chunks(input);
    case 'lz4':
      return lz4Chunks(input);
    case 'snappy':
      return snappyChunks(input);
    default:
      return unreachable(kind);
  }
}

async function* throughStream(source: ByteSource, transform: Transform): AsyncGenerator<Uint8Array> {
  const input = inputOf(source);
  // A file of no bytes holds no rows; the decompressors would call it torn.
  const first = await input.next();
  if (first.done === true) return;
  const feed = async () => {
    await written(transform, first.value);
    for await (const bytes of input) await written(transform, bytes);
    transform.end();
  };
  feed().catch((error: Error) => transform.destroy(error));
  try {
    yield* everyChunkOf(transform);
  } finally {
    transform.destroy();
  }
}

/**
 * Until the bytes are through the decompressor. The end is told to it after that alone: zlib gives out nothing of the
 * bytes that it gets together with the end of a torn file.
 */
function written(transform: Transform, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    transform.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * What came out before an error, and then the error. A stream's own iterator drops what it has buffered when the stream
 * fails, so that how many rows of a torn file are read would depend on timing and on the version of Node.
 */
async function* everyChunkOf(stream: Readable): AsyncGenerator<Uint8Array> {
  let ended = false;
  let failure: Error | null = null;
  let wake = () => {};
  const changed = () => wake();
  stream.on('readable', changed);
  stream.once('end', () => {
    ended = true;
    wake();
  });
  stream.once('error', (error: Error) => {
    failure = error;
    wake();
  });
  for (;;) {
    const chunk: Uint8Array | null = stream.read();
    if (chunk !== null) yield chunk;
    else if (failure !== null) throw failure;
    else if (ended) return;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function* inputOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (;;) {
    // A buffer each, since streams hold on to what they were given.
    const bytes = new Uint8Array(INPUT_BYTES);
    const read = await source.read(bytes);
    if (read === 0) return;
    yield bytes.subarray(0, read);
  }
}
