/** What a part's own footer tells of its columns: rows, nulls, bounds. For logs that repeat them. */
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import type { RandomAccessFile } from '../../lib/core/decoder.ts';
import { withPath } from '../corrupt.ts';
import { readEnd } from './reader/read-footer.ts';

/** Every value lies within, ends included. */
export type ColumnBounds =
  | { readonly kind: 'integer'; readonly min: number | bigint; readonly max: number | bigint }
  /** Byte order of UTF-8. */
  | { readonly kind: 'text'; readonly min: string; readonly max: string }
  /** Days since 1970-01-01. */
  | { readonly kind: 'date'; readonly min: number; readonly max: number }
  /** Microseconds since 1970. */
  | { readonly kind: 'timestamp'; readonly minUs: bigint; readonly maxUs: bigint };

export interface ColumnStatistics {
  /** null where the file does not say. */
  readonly nulls: number | null;
  readonly bounds: ColumnBounds | null;
}

export interface FileStatistics {
  readonly rows: number;
  /** By name; columns that are not nested. */
  readonly columns: ReadonlyMap<string, ColumnStatistics>;
}

/** @throws SluiceError INPUT_CORRUPT where it is no whole Parquet file */
export function readFileStatistics(file: RandomAccessFile): Promise<FileStatistics> {
  return withPath(file.path, 'Parquet', async () => {
    const metadata = parquetMetadata(await readEnd(file), {
      geoparquet: false,
      parsers: {
        stringFromBytes: (bytes) => bytes,
        dateFromDays: (days) => ({ days }),
        timestampFromMilliseconds: (ms) => ({ us: ms * 1000n }),
        timestampFromMicroseconds: (us) => ({ us }),
      },
    });
    const columns = new Map<string, ColumnStatistics>();
    // What other writers put there has its own bugs.
    const isOurs = metadata.created_by?.startsWith('sluice ') === true;
    (metadata.row_groups[0]?.columns ?? []).forEach(({ meta_data: data }, at) => {
      const [name, ...nested] = data?.path_in_schema ?? [];
      if (name !== undefined && nested.length === 0) columns.set(name, sumUp(metadata, at, name, isOurs));
    });
    return { rows: Number(metadata.num_rows), columns };
  });
}

function sumUp(metadata: FileMetaData, at: number, name: string, isOurs: boolean): ColumnStatistics {
  const element = metadata.schema.find((each, i) => i > 0 && each.name === name);
  const form: Form =
    element?.converted_type === 'UTF8'
      ? 'text'
      : element?.type === 'INT32' && element.converted_type === undefined
        ? 'int32'
        : 'other';
  let nulls: number | null = 0;
  let bounds: ColumnBounds | null | undefined;
  for (const group of metadata.row_groups) {
    const { statistics } = group.columns[at]?.meta_data ?? {};
    const count = statistics?.null_count === undefined ? null : Number(statistics.null_count);
    nulls = nulls === null || count === null ? null : nulls + count;
    // Nothing but nulls is within any bounds.
    if (count === Number(group.num_rows)) continue;
    const found = isOurs ? toBounds(statistics?.min_value, statistics?.max_value, form) : null;
    bounds = bounds === undefined ? found : widen(bounds, found);
  }
  return { nulls, bounds: bounds ?? null };
}

/** Floats and decimals come as numbers too, and text as bytes like any other. */
type Form = 'text' | 'int32' | 'other';

/** null for types whose bounds cannot be had exactly. */
function toBounds(min: unknown, max: unknown, form: Form): ColumnBounds | null {
  if (min instanceof Uint8Array && max instanceof Uint8Array)
    return form === 'text' ? { kind: 'text', min: textOf(min), max: textOf(max) } : null;
  if (typeof min === 'bigint' && typeof max === 'bigint') return { kind: 'integer', min, max };
  if (form === 'int32' && typeof min === 'number' && typeof max === 'number')
    return { kind: 'integer', min, max };
  if (isDays(min) && isDays(max)) return { kind: 'date', min: min.days, max: max.days };
  if (isInstant(min) && isInstant(max)) return { kind: 'timestamp', minUs: min.us, maxUs: max.us };
  return null;
}

function widen(a: ColumnBounds | null, b: ColumnBounds | null): ColumnBounds | null {
  if (a === null || b === null) return null;
  if (a.kind === 'integer' && b.kind === 'integer')
    return { kind: 'integer', min: least(a.min, b.min), max: greatest(a.max, b.max) };
  if (a.kind === 'date' && b.kind === 'date')
    return { kind: 'date', min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    return {
      kind: 'timestamp',
      minUs: least(a.minUs, b.minUs),
      maxUs: greatest(a.maxUs, b.maxUs),
    };
  }
  if (a.kind === 'text' && b.kind === 'text')
    return {
      kind: 'text',
      min: byBytes(a.min, b.min) < 0 ? a.min : b.min,
      max: byBytes(a.max, b.max) > 0 ? a.max : b.max,
    };
  return null;
}

/** Math.min and Math.max know no bigint. */
function least<T extends number | bigint>(a: T, b: T): T {
  return b < a ? b : a;
}

function greatest<T extends number | bigint>(a: T, b: T): T {
  return b > a ? b : a;
}

/** JavaScript's own order is that of UTF-16. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function isDays(value: unknown): value is { readonly days: number } {
  return typeof value === 'object' && value !== null && 'days' in value;
}

function isInstant(value: unknown): value is { readonly us: bigint } {
  return typeof value === 'object' && value !== null && 'us' in value;
}
