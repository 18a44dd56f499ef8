/** Where the rows of a batch come from. Valid as long as the batch is. */
export interface RowPlaces {
  /** The file of each row, where they are not all of the one being read. */
  readonly paths: readonly string[] | null;
  /** Byte offset of each row's record in the (decompressed) file; NaN or null: it is at no byte of its own. */
  readonly offsets: Float64Array | null;
  /** Line that each row's record begins in, from 1, or its number in a file without lines; NaN: not known. */
  readonly lines: Float64Array | null;
}

export const NO_PLACES: RowPlaces = { paths: null, offsets: null, lines: null };
