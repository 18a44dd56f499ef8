/** Drives a decoder as the source's reader does: bytes in pieces, batches out. */

import type { Schema } from '../../lib/core/data-type.ts';
import type { BadRecord, DecoderStart, InputFormat } from '../../lib/core/decoder.ts';

export interface Decoded {
  readonly rows: Record<string, unknown>[];
  readonly bad: (Omit<BadRecord, 'bytes'> & { readonly text: string })[];
  /** Where a restart could begin, after each batch, with the rows up to there. */
  readonly positions: { readonly start: DecoderStart; readonly rows: number }[];
  readonly records: number;
}

export interface DecodeOptions {
  readonly batchRows?: number;
  /** Bytes that come at a time. */
  readonly piece?: number;
  readonly start?: DecoderStart;
}

/** Reads a whole file's bytes from a position on. */
export function decodeAll(
  format: InputFormat,
  schema: Schema,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Decoded {
  const bad: Decoded['bad'] = [];
  const decoder = format.createDecoder({
    schema,
    batchRows: options.batchRows ?? 1000,
    keepLines: false,
    onBadRecord: ({ bytes: record, ...rest }) => bad.push({ ...rest, text: Buffer.from(record).toString() }),
  });
  const start = options.start ?? { offset: 0, state: null };
  const rows: Record<string, unknown>[] = [];
  const positions: Decoded['positions'] = [];
  decoder.begin(start);
  let from = start.offset;
  let to = Math.min(bytes.length, from + (options.piece ?? bytes.length));
  const take = () => {
    const batch = decoder.take();
    for (let i = 0; i < batch.length; i++) rows.push(batch.record(i) as Record<string, unknown>);
    positions.push({ start: { offset: decoder.offset, state: decoder.state() }, rows: rows.length });
  };
  for (;;) {
    // A window of its own each time: what a decoder reads outside [from, to) is not the file.
    const window = Uint8Array.from([0x22, ...bytes.subarray(from, to), 0x22, 0x0a]);
    const last = to === bytes.length;
    const consumed = decoder.decode(window, 1, 1 + to - from, last) - 1;
    from += consumed;
    if (decoder.full) take();
    else if (last && (consumed === 0 || from === to)) break;
    else if (!last) to = Math.min(bytes.length, to + (options.piece ?? bytes.length));
  }
  if (decoder.rows > 0) take();
  return { rows, bad, positions, records: decoder.records };
}
