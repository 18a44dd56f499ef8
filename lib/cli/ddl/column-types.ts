/** Types of columns in the words of engines. */
import type { DataType } from '../../core/data-type.ts';
import type { TableFormat } from './table.ts';

/** trino: Trino and Presto · hive: Hive, Spark and Athena. */
export type TypeNames = 'trino' | 'hive' | 'duckdb';

/** The same for all engines, in this order. */
const WORDS: Readonly<Record<string, Readonly<Record<TypeNames, string>>>> = {
  boolean: { trino: 'boolean', hive: 'boolean', duckdb: 'BOOLEAN' },
  int32: { trino: 'integer', hive: 'int', duckdb: 'INTEGER' },
  int64: { trino: 'bigint', hive: 'bigint', duckdb: 'BIGINT' },
  float32: { trino: 'real', hive: 'float', duckdb: 'FLOAT' },
  float64: { trino: 'double', hive: 'double', duckdb: 'DOUBLE' },
  string: { trino: 'varchar', hive: 'string', duckdb: 'VARCHAR' },
  json: { trino: 'varchar', hive: 'string', duckdb: 'JSON' },
  binary: { trino: 'varbinary', hive: 'binary', duckdb: 'BLOB' },
  date: { trino: 'date', hive: 'date', duckdb: 'DATE' },
  timestamp: { trino: 'timestamp', hive: 'timestamp', duckdb: 'TIMESTAMP' },
};

/** @param quote of the names of struct fields */
export function typeText(type: DataType, names: TypeNames, quote: (name: string) => string): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'list': {
      const element = typeText(type.element, names, quote);
      if (names === 'duckdb') return `${element}[]`;
      return names === 'trino' ? `array(${element})` : `array<${element}>`;
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: inner }) => {
        const text = typeText(inner, names, quote);
        return names === 'hive' ? `${quote(name)}:${text}` : `${quote(name)} ${text}`;
      });
      if (names === 'duckdb') return `STRUCT(${fields.join(', ')})`;
      return names === 'trino' ? `row(${fields.join(', ')})` : `struct<${fields.join(',')}>`;
    }
    default:
      return WORDS[type.kind]![names];
  }
}

/**
 * The type that an engine can read a column with, as the format spells its values.
 * @param typed whether the engine reads JSON and CSV text as timestamps of any ISO form (DuckDB, Spark)
 * @returns null where no type will do, and the column has to be left out
 */
export function readableType(type: DataType, format: TableFormat, typed: boolean): DataType | null {
  if (format.type === 'parquet') return type;
  if (format.type === 'text') return { kind: 'string' };
  if (format.type === 'csv') return typed && isFlat(type) ? type : { kind: 'string' };
  switch (type.kind) {
    case 'timestamp':
      // `2026-11-22T13:14:15.123Z` is no timestamp for Trino, Presto and Hive.
      return typed || format.dialect === 'hive' ? type : { kind: 'string' };
    case 'binary':
      return { kind: 'string' };
    case 'json':
      return typed ? type : null;
    case 'list': {
      const element = readableType(type.element, format, typed);
      return element === null ? null : { kind: 'list', element };
    }
    case 'struct': {
      const fields = type.fields.flatMap((field) => {
        const readable = readableType(field.type, format, typed);
        return readable === null ? [] : { ...field, type: readable };
      });
      return fields.length === 0 ? null : { kind: 'struct', fields };
    }
    default:
      return type;
  }
}

function isFlat({ kind }: DataType): boolean {
  return !['list', 'struct', 'json', 'binary'].includes(kind);
}
