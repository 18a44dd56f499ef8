/** Extension point of compaction: one part from several of the same format. */
import type { ByteSource } from './byte-source.ts';
import type { RandomAccessFile } from './decoder.ts';

/** A finished part that is to be merged. It does not change while it is. */
export interface MergeSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Its bytes from the start. */
  stream(): Promise<ByteSource>;
  /** The same, at any place; open until `close`. */
  open(): Promise<RandomAccessFile & { close(): Promise<void> }>;
}

export interface PartMerger {
  /**
   * Writes one part that holds the rows of the sources, in their order. A source that cannot stand in one part with the
   * first (it has other columns) is left out.
   * @param write takes bytes over before its promise settles
   * @returns indexes of the sources that are in the part; where there are fewer than two, what was written is of no use
   * @throws SluiceError INPUT_CORRUPT for a source that is damaged
   */
  merge(
    sources: readonly MergeSource[],
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<readonly number[]>;
}
