/** What a decoder that begins inside a file has to know from the file's beginning. */
import { readFully } from '../core/byte-source.ts';
import type { DecoderState, FileInputFormat, InputFormat } from '../core/decoder.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { tooLargeError } from './record-errors.ts';
import type { Split } from './split.ts';
import { openSplitSource } from './split-source.ts';

/** First try at reading a header. */
const HEADER_BYTES = 64 * 1024;

/** @returns null where the format needs nothing @throws SluiceError RECORD_TOO_LARGE; storage errors */
export async function readHeader(
  fileSystem: FileSystem,
  format: InputFormat | FileInputFormat,
  split: Split,
  maxRecordBytes: number,
): Promise<DecoderState> {
  if (format.access === 'random' || format.readHeader === undefined) return null;
  for (let length = HEADER_BYTES; ; length *= 8) {
    const head = new Uint8Array(Math.min(length, maxRecordBytes));
    // A range: the file was found to be uncompressed before it was cut.
    const { source } = await openSplitSource(fileSystem, split, 'none', 0);
    const read = await readFully(source, head).finally(() => source.close());
    const last = read < head.length;
    const state = format.readHeader(head.subarray(0, read), last);
    if (state !== null || last) return state;
    if (length >= maxRecordBytes) throw tooLargeError(split.path, 0, maxRecordBytes, 1);
  }
}
