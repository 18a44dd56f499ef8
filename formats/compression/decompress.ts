/**
 * Decompressing input as it is pulled: nothing is read ahead but what one chunk gives, so a bomb costs time and no
 * memory. Files of several members or frames are read to their end. What is torn or altered is an error, never a short
 * file.
 */
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ByteSource } from '../../lib/core/byte-source.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { Compression } from '../../lib/core/specs.ts';
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
      if (error instanceof SluiceError) throw error;
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
  return zstdChunks(inputOf(source));
}

async function* throughStream(source: ByteSource, transform: Transform): AsyncGenerator<Uint8Array> {
  const input = inputOf(source);
  // A file of no bytes holds no rows; the decompressors would call it torn.
  const first = await input.next();
  if (first.done === true) return;
  const whole = async function* () {
    yield first.value;
    yield* input;
  };
  const readable = Readable.from(whole(), { objectMode: false, highWaterMark: INPUT_BYTES });
  readable.once('error', (error) => transform.destroy(error));
  try {
    yield* readable.pipe(transform) as AsyncIterable<Uint8Array>;
  } finally {
    readable.destroy();
    transform.destroy();
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
