/**
 * Records that were refused and are kept (`on_bad_record: quarantine`), from the moment the decoder refuses them until
 * the sink takes them over, which is before the position behind them can get into a checkpoint.
 *
 * Bounded: the reader returns what it has once `full`, so no more than the refused records of one chunk come on top.
 */
import type { ByteSource } from '../core/byte-source.ts';
import type { BadRecord, BadRecordCode, DecoderState } from '../core/decoder.ts';

/** A refused record, with everything that is needed to find it again and to read it once more. */
export interface QuarantinedRecord {
  readonly code: BadRecordCode;
  /** For people. */
  readonly reason: string;
  readonly column: string | null;
  readonly path: string;
  /** Byte offset in the decompressed file. */
  readonly offset: number;
  /** From 1; null where the file does not tell any more. */
  readonly line: number | null;
  /** The record as it stands in the file, without its line end. */
  readonly bytes: Uint8Array;
  /** Whether `bytes` is all of it. Too long a record, and the rest of a damaged file, are kept in part. */
  readonly complete: boolean;
  /** What a decoder has to know to read `bytes` alone (the names of a CSV file's columns). */
  readonly state: DecoderState;
}

/** As the reader hands it in: the line is found later, and only where the record does not bring one. */
export type RefusedRecord = Omit<QuarantinedRecord, 'line'> & { readonly line: number | null | 'find' };

const MAX_RECORDS = 4096;
const MAX_BYTES = 4 * 1024 * 1024;
const BLOCK_BYTES = 256 * 1024;
const LINE_FEED = 10;

/** Opens the file being read at its first byte, decompressed. */
export type OpenFromStart = () => Promise<ByteSource>;

/** A record that a decoder refused. Its bytes are copied: they do not last. */
export function refusedRecord(record: BadRecord, path: string, state: DecoderState): RefusedRecord {
  const { code = 'malformed', origin, column, reason, place, offset, bytes } = record;
  // Of a file that is no stream of bytes there is no line, and no record as it stands in it.
  const inStream = place === undefined;
  return {
    code,
    reason: inStream ? reason : `${place}: ${reason}`,
    column,
    path: origin?.path ?? path,
    offset: origin?.offset ?? offset,
    line: origin === undefined ? (inStream ? 'find' : null) : origin.line,
    bytes: bytes.slice(),
    complete: inStream,
    state,
  };
}

export class RefusedRecords {
  #records: RefusedRecord[] = [];
  #bytes = 0;
  readonly #lines = new LineFinder();

  get full(): boolean {
    return this.#records.length >= MAX_RECORDS || this.#bytes >= MAX_BYTES;
  }

  add(record: RefusedRecord): void {
    this.#records.push(record);
    this.#bytes += record.bytes.length;
  }

  /** What was refused since the last call, in order. */
  async take(open: OpenFromStart): Promise<readonly QuarantinedRecord[]> {
    const records = this.#records;
    if (records.length === 0) return [];
    this.#records = [];
    this.#bytes = 0;
    const taken: QuarantinedRecord[] = [];
    for (const record of records) {
      const line = record.line === 'find' ? await this.#lines.lineAt(record.offset, open) : record.line;
      taken.push({ ...record, line });
    }
    return taken;
  }

  /** The next records are of another file. */
  async nextFile(): Promise<void> {
    await this.#lines.close();
  }
}

/**
 * Line numbers of ascending offsets in one file. The hot path counts no lines, so the file is read once more, beside the
 * reader and up to the refused record: once for all of them, and not at all where there are none.
 */
class LineFinder {
  #source: ByteSource | null = null;
  #offset = 0;
  #line = 1;
  #failed = false;
  /** Read from the source and not counted yet. */
  #rest = new Uint8Array(0);

  /** null where the file cannot be read (it is gone, or damaged). */
  async lineAt(offset: number, open: OpenFromStart): Promise<number | null> {
    try {
      // Records of one file come in order; another order means another pass.
      if (offset < this.#offset) await this.close();
      if (this.#failed) return null;
      this.#source ??= await open();
      while (this.#offset < offset) {
        if (this.#rest.length === 0) {
          const block = new Uint8Array(BLOCK_BYTES);
          const read = await this.#source.read(block);
          if (read === 0) return null;
          this.#rest = block.subarray(0, read);
        }
        const size = Math.min(this.#rest.length, offset - this.#offset);
        for (let i = 0; i < size; i++) if (this.#rest[i] === LINE_FEED) this.#line++;
        this.#rest = this.#rest.subarray(size);
        this.#offset += size;
      }
      return this.#line;
    } catch {
      // The line is a help for people; the offset is what counts. It must not end what the quarantine keeps going.
      await this.close();
      this.#failed = true;
      return null;
    }
  }

  async close(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    this.#offset = 0;
    this.#line = 1;
    this.#failed = false;
    this.#rest = new Uint8Array(0);
    await source?.close().catch(() => {});
  }
}
