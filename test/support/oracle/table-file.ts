/**
 * Rows of an input file or a part, read by others than the product: hyparquet, JSON.parse, node:zlib, fzstd. Whatever
 * is torn, damaged or of an unknown kind throws.
 */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type CsvShape, csvRecords } from './csv-records.ts';
import { readArrowTable, readAvroTable } from './other-tables.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface TableShape {
  readonly csv?: CsvShape;
  /** Read only these, where the format allows it. */
  readonly columns?: readonly string[];
  /** The last line of a text file need not end in a line feed: true of inputs, never of parts. */
  readonly openEnd?: boolean;
}

/** What the name says about a file; null for a name that is no table's. */
export function tableFormat(name: string): { format: string; compression: string | null } | null {
  const match = /\.(parquet|ndjson|jsonl|csv|txt|avro|arrow|arrows|json)(?:\.(gz|zst))?$/.exec(name);
  if (match?.[1] === undefined) return null;
  return { format: match[1] === 'jsonl' ? 'ndjson' : match[1], compression: match[2] ?? null };
}

export async function readTable(file: string, shape: TableShape = {}): Promise<Row[]> {
  const kind = tableFormat(file);
  if (kind === null) throw new Error('not the name of a table');
  const bytes = await readFile(file);
  if (bytes.length === 0 && shape.openEnd !== true) throw new Error('the file is empty');
  if (kind.format === 'parquet') return readParquet(bytes, shape);
  if (kind.format === 'avro') return readAvroTable(bytes);
  if (kind.format === 'arrow' || kind.format === 'arrows') return readArrowTable(bytes);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    decompressed(bytes, kind.compression),
  );
  if (shape.openEnd !== true && text !== '' && !text.endsWith('\n')) {
    throw new Error('the last line does not end');
  }
  switch (kind.format) {
    case 'ndjson':
      return lines(text).map(parseJsonLine);
    case 'json':
      return parseJson(text);
    case 'csv':
      return csvRecords(text, shape.csv);
    default:
      return lines(text).map((line) => ({ line }));
  }
}

function decompressed(bytes: Buffer, compression: string | null): Uint8Array {
  switch (compression) {
    case 'gz':
      return bytes.length === 0 ? bytes : gunzipSync(bytes);
    case 'zst':
      return decompress(bytes);
    default:
      return bytes;
  }
}

function readParquet(bytes: Buffer, { columns }: TableShape): Promise<Row[]> {
  return parquetReadObjects({
    file: new Uint8Array(bytes).buffer,
    compressors,
    ...(columns === undefined ? {} : { columns: [...columns] }),
    // Exact where the defaults round: a Date holds milliseconds only.
    parsers: {
      timestampFromMilliseconds: (ms) => (typeof ms === 'bigint' ? ms * 1000n : ms),
      timestampFromMicroseconds: (us) => us,
      dateFromDays: (days) => days,
    },
  });
}

function lines(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
    return bare === '' ? [] : [bare];
  });
}

/** Strings, and integers too long for a double outside of them. */
const STRING_OR_LONG_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/** JSON.parse, with integers that a double cannot hold given as text that keeps each digit. */
function parseJsonLine(line: string): Row {
  return parseJson(line);
}

function parseJson<T>(text: string): T {
  const exact = /\d{16}/.test(text)
    ? text.replace(STRING_OR_LONG_INTEGER, (token) => (token.startsWith('"') ? token : `"${token}"`))
    : text;
  return JSON.parse(exact);
}
