/** A Parquet file's metadata in words, for `sluice inspect`. */
import { type FileMetaData, parquetMetadata, type SchemaElement } from 'hyparquet';
import { SluiceError } from '../../lib/core/errors.ts';
import { MAX_TIMESTAMP_CHARACTERS, writeDate, writeTimestamp } from '../encoding/time.ts';

const MS_PER_DAY = 86_400_000;

/** Plain JSON. */
export interface ParquetDescription {
  readonly createdBy: string | null;
  readonly rows: number;
  /** The stored columns: leaves, path joined with dots. */
  readonly columns: readonly { readonly path: string; readonly type: string; readonly nullable: boolean }[];
  readonly rowGroups: readonly RowGroupDescription[];
}

export interface RowGroupDescription {
  readonly rows: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly columns: readonly ColumnChunkDescription[];
}

export interface ColumnChunkDescription {
  readonly path: string;
  readonly codec: string;
  readonly encodings: readonly string[];
  readonly hasDictionary: boolean;
  /** Values, nulls and empty lists. */
  readonly entries: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** null where the file does not say. */
  readonly nulls: number | null;
  readonly min: string | null;
  readonly max: string | null;
}

/**
 * @param bytes the file, or as much of its end as holds the metadata
 * @throws SluiceError INPUT_CORRUPT where that is no Parquet metadata
 */
export function describeParquet(bytes: Uint8Array): ParquetDescription {
  const metadata = readMetadata(bytes);
  return {
    createdBy: metadata.created_by ?? null,
    rows: Number(metadata.num_rows),
    columns: describeLeaves(metadata.schema),
    rowGroups: metadata.row_groups.map((group) => {
      const columns = group.columns.map(describeChunk);
      return {
        rows: Number(group.num_rows),
        compressedBytes: columns.reduce((sum, column) => sum + column.compressedBytes, 0),
        uncompressedBytes: Number(group.total_byte_size),
        columns,
      };
    }),
  };
}

function readMetadata(bytes: Uint8Array): FileMetaData {
  try {
    const parsers = {
      stringFromBytes: textOrHex,
      timestampFromMilliseconds: (millis: bigint) => instant(millis, 3),
      timestampFromMicroseconds: (micros: bigint) => instant(micros, 6),
      dateFromDays: day,
    };
    return parquetMetadata(bytes, { parsers, geoparquet: false });
  } catch (cause) {
    // Whatever the reader trips over (a length that leads out of the file, nesting without end): the file is to blame.
    throw new SluiceError('INPUT_CORRUPT', 'the file has no readable Parquet metadata at its end', {
      hint: 'a part that is still written has none; otherwise it is cut or not Parquet',
      cause,
    });
  }
}

/** As text where it is beyond the years of a Date. */
function instant(count: bigint, digits: 3 | 6): Date | string {
  const date = new Date(Number(digits === 3 ? count : count / 1000n));
  if (!Number.isNaN(date.getTime())) return date;
  const [low, high] = [BigInt.asIntN(32, count), BigInt.asIntN(32, count >> 32n)];
  return written((data) => writeTimestamp(data, 0, Number(high), Number(low), digits, 'standard'));
}

function day(days: number): Date | string {
  const date = new Date(days * MS_PER_DAY);
  return Number.isNaN(date.getTime()) ? written((data) => writeDate(data, 0, days)) : date;
}

function written(write: (data: DataView) => number): string {
  const data = new DataView(new ArrayBuffer(MAX_TIMESTAMP_CHARACTERS));
  const end = write(data);
  return Buffer.from(data.buffer, 0, end).toString('latin1');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOrHex(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `0x${Buffer.from(bytes).toString('hex')}`;
  }
}

/** Walks the tree, which is stored depth first with the number of children at each group. */
function describeLeaves(schema: readonly SchemaElement[]): ParquetDescription['columns'] {
  const leaves: { path: string; type: string; nullable: boolean }[] = [];
  /** Groups around the element, with how many of their children are still to come. */
  const groups: { path: string; left: number; nullable: boolean }[] = [];
  schema.forEach((element, i) => {
    const outer = groups.at(-1);
    if (outer !== undefined) outer.left--;
    const path = i === 0 ? '' : outer?.path ? `${outer.path}.${element.name}` : element.name;
    const nullable = (outer?.nullable ?? false) || (i > 0 && element.repetition_type !== 'REQUIRED');
    if (element.num_children) groups.push({ path, left: element.num_children, nullable });
    else leaves.push({ path, type: typeName(element), nullable });
    while (groups.length > 0 && groups.at(-1)!.left === 0) groups.pop();
  });
  return leaves;
}

function typeName(element: SchemaElement): string {
  const { type, logical_type: logical, converted_type: converted, type_length: length } = element;
  const physical = length === undefined ? (type ?? '') : `${type}(${length})`;
  if (logical?.type === 'TIMESTAMP') {
    return `${physical} TIMESTAMP(${logical.unit}${logical.isAdjustedToUTC ? ', UTC' : ''})`;
  }
  if (converted === 'DECIMAL') return `${physical} DECIMAL(${element.precision},${element.scale ?? 0})`;
  const name = logical?.type ?? converted;
  return name === undefined ? physical : `${physical} ${name}`;
}

type Chunk = FileMetaData['row_groups'][number]['columns'][number];

function describeChunk({ meta_data: data }: Chunk): ColumnChunkDescription {
  if (data === undefined) {
    throw new SluiceError('INPUT_CORRUPT', 'a column chunk has no metadata in the footer');
  }
  const { statistics } = data;
  return {
    path: data.path_in_schema.join('.'),
    codec: data.codec,
    encodings: data.encodings,
    hasDictionary: data.dictionary_page_offset !== undefined,
    entries: Number(data.num_values),
    compressedBytes: Number(data.total_compressed_size),
    uncompressedBytes: Number(data.total_uncompressed_size),
    nulls: statistics?.null_count === undefined ? null : Number(statistics.null_count),
    min: boundText(statistics?.min_value ?? statistics?.min),
    max: boundText(statistics?.max_value ?? statistics?.max),
  };
}

function boundText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return Object.is(value, -0) ? '-0' : String(value);
}
