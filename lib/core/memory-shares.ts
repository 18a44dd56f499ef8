/**
 * How a subtask's memory budget is shared out. The batch that the decoder fills and what the encoder works in, some 10 MB,
 * come beside it.
 */
export const MEMORY_SHARES = {
  /** Rows in open parts. */
  parts: 1 / 2,
  /** Rows that wait to go to their buckets together; more while open parts leave room (lib/sink/buckets.ts). */
  staged: 1 / 4,
  /** The most that encoded bytes may take which wait for the disk (see lib/sink/write-queue.ts), and what they leave to the next. */
  written: 1 / 8,
  /** Parquet's row buffers that wait for their next part: one of 167,000 rows of 9 columns, 12 MB, where two share 256 MiB. */
  idle: 1 / 8,
} as const;
