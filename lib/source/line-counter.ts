import type { ByteSource } from '../core/byte-source.ts';

const BLOCK_BYTES = 256 * 1024;
const LINE_FEED = 10;

/**
 * Line number, from 1, of the byte at `offset`: line feeds before it, plus one. Reads the file from its beginning, so it
 * is for error messages only; the hot path counts no lines.
 * @param source at the file's first byte; the caller closes it
 */
export async function lineNumberAt(source: ByteSource, offset: number): Promise<number> {
  const block = new Uint8Array(Math.max(1, Math.min(BLOCK_BYTES, offset)));
  let line = 1;
  for (let left = offset; left > 0; ) {
    const read = await source.read(left < block.length ? block.subarray(0, left) : block);
    if (read === 0) break;
    for (let i = 0; i < read; i++) if (block[i] === LINE_FEED) line++;
    left -= read;
  }
  return line;
}
