/**
 * Parquet files as other programs read them, in one form: that of `expected`. Values are compared exactly wherever the
 * reader keeps them exact.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as duckdb from '@duckdb/node-api';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { DataType, Schema } from '../../../lib/core/data-type.ts';
import type { Row } from '../../unit/parquet/arbitrary-rows.ts';

export interface ParquetReader {
  readonly name: string;
  /** Whether decimals come exact, or as doubles. */
  readonly exactDecimals: boolean;
  read(bytes: Uint8Array, schema: Schema): Promise<unknown[]>;
}

/** Rows as all readers have to give them: null for missing, dates and times as numbers, bytes as hex. */
export function expected(schema: Schema, rows: readonly Row[], exactDecimals: boolean): unknown[] {
  return rows.map((row) =>
    Object.fromEntries(schema.fields.map(({ name, type }) => [name, plain(type, row[name], exactDecimals)])),
  );
}

function plain(type: DataType, value: unknown, exactDecimals: boolean): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'date':
      return (value as Date).getTime() / 86_400_000;
    case 'timestamp':
      return value instanceof Date ? BigInt(value.getTime()) * (type.unit === 'ms' ? 1n : 1000n) : value;
    case 'binary':
      return hex(value as Uint8Array);
    case 'float32':
      return Math.fround(value as number);
    case 'decimal':
      return exactDecimals ? (value as string) : asDouble(value as string, type.scale);
    case 'list':
      return (value as unknown[]).map((item) => plain(type.element, item, exactDecimals));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          plain(field.type, (value as Row)[field.name], exactDecimals),
        ]),
      );
    default:
      return value;
  }
}

/** A decimal as hyparquet computes it. */
function asDouble(text: string, scale: number): number {
  return Number(BigInt(text.replace('.', ''))) * 10 ** -scale;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export const hyparquet: ParquetReader = {
  name: 'hyparquet',
  exactDecimals: false,
  async read(bytes, schema) {
    const rows = await parquetReadObjects({
      file: new Uint8Array(bytes).buffer,
      compressors,
      utf8: false,
      parsers: {
        timestampFromMilliseconds: (value: bigint) => value,
        timestampFromMicroseconds: (value: bigint) => value,
        dateFromDays: (value: number) => value,
        jsonFromBytes: (value: Uint8Array) => new TextDecoder().decode(value),
      },
    });
    return rows.map((row) => fromHyparquet({ kind: 'struct', fields: schema.fields }, row));
  },
};

function fromHyparquet(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'binary':
      return hex(value as Uint8Array);
    case 'list':
      return [...(value as unknown[])].map((item) => fromHyparquet(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, fromHyparquet(field.type, (value as Row)[field.name])]),
      );
    default:
      return value;
  }
}

/** A DuckDB in memory and a folder for its files. */
export class DuckDb implements ParquetReader {
  readonly name = 'DuckDB';
  readonly exactDecimals = true;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-parquet-'));
  #connection: duckdb.DuckDBConnection | null = null;
  #files = 0;

  async read(bytes: Uint8Array, schema: Schema): Promise<unknown[]> {
    const rows = await this.query(`SELECT * FROM read_parquet('${this.write(bytes)}')`);
    return rows.map((row) =>
      Object.fromEntries(schema.fields.map(({ name, type }, i) => [name, fromDuckDb(type, row[i])])),
    );
  }

  write(bytes: Uint8Array): string {
    const path = join(this.#folder, `${this.#files++}.parquet`);
    writeFileSync(path, bytes);
    return path;
  }

  async query(sql: string): Promise<duckdb.DuckDBValue[][]> {
    if (this.#connection === null) {
      const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '1' });
      this.#connection = await instance.connect();
    }
    return (await this.#connection.runAndReadAll(sql)).getRows();
  }

  close(): void {
    this.#connection?.closeSync();
    rmSync(this.#folder, { recursive: true });
  }
}

function fromDuckDb(type: DataType, value: duckdb.DuckDBValue | undefined): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'date':
      return (value as duckdb.DuckDBDateValue).days;
    case 'timestamp': {
      const { micros } = value as duckdb.DuckDBTimestampTZValue;
      return type.unit === 'ms' ? micros / 1000n : micros;
    }
    case 'binary':
      return hex((value as duckdb.DuckDBBlobValue).bytes);
    case 'decimal':
      return (value as duckdb.DuckDBDecimalValue).toString();
    case 'list':
      return (value as duckdb.DuckDBListValue).items.map((item) => fromDuckDb(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          fromDuckDb(field.type, (value as duckdb.DuckDBStructValue).entries[field.name]),
        ]),
      );
    default:
      return value;
  }
}
