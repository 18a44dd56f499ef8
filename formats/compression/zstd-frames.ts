/**
 * zstd in plain JavaScript (fzstd). Node's own stream (24.x) ends in silence after the first frame of several, and takes
 * a torn second one for the end: rows would be lost. fzstd does neither. It does not check content checksums.
 */
import { Decompress } from 'fzstd';

/**
 * Compressed bytes given to the decompressor at a time. A block of 4 bytes may stand for 128 KiB, so this bounds what
 * comes out at once to 32 MiB.
 */
const SLICE_BYTES = 1024;

export async function* zstdChunks(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => {
    if (chunk.length > 0) out.push(chunk);
  });
  let any = false;
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      any = true;
      decompress.push(bytes.slice(at, at + SLICE_BYTES));
      yield* out;
      out = [];
    }
  }
  // Throws where a frame is not at its end.
  if (any) decompress.push(new Uint8Array(0), true);
  yield* out;
}
