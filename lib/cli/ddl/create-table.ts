/** CREATE TABLE of a job's lake, and how its partitions become known, for one engine. */

import { MANIFEST_FOLDER } from '../../commit/lake-table.ts';
import { SluiceError, unreachable } from '../../core/errors.ts';
import { readableType, type TypeNames, typeText } from './column-types.ts';
import { deltaStatements } from './delta-table.ts';
import type { QueryEngine } from './query-engine.ts';
import { backticked, doubleQuoted, indented, sqlText } from './quote.ts';
import type { Table } from './table.ts';

export interface Ddl {
  readonly statements: readonly string[];
  /** What the engine will not do with these files. */
  readonly warnings: readonly string[];
}

/** @throws SluiceError JOB_INVALID where the engine cannot have such a table */
export function createTable(engine: QueryEngine, table: Table): Ddl {
  const warnings = warningsOf(engine, table);
  if (table.by === 'delta' && engine !== 'hive')
    return { statements: deltaStatements(engine, table), warnings };
  switch (engine) {
    case 'trino':
    case 'presto':
      return { statements: trinoStatements(table, warnings), warnings };
    case 'hive':
    case 'athena':
      return { statements: hiveStatements(engine, table, warnings), warnings };
    case 'spark':
      return { statements: sparkStatements(table, warnings), warnings };
    case 'duckdb':
      return { statements: duckdbStatements(table), warnings };
    default:
      return unreachable(engine);
  }
}

function trinoStatements(table: Table, warnings: string[]): string[] {
  if (table.by === 'manifest') {
    throw new SluiceError(
      'JOB_INVALID',
      'Trino and Presto cannot make a table over manifests, only read one',
      {
        hint: 'run the statements of `--engine hive` on a metastore that they share; or write `table: { type: delta }`',
      },
    );
  }
  const { format, partitions } = table;
  const kinds = { parquet: 'PARQUET', ndjson: 'JSON', csv: 'CSV', text: 'TEXTFILE' };
  const columns = [
    ...columnLines(table, 'trino', doubleQuoted, false, warnings),
    ...partitions.map((name) => `${doubleQuoted(name)} varchar`),
  ];
  const properties = [
    `format = '${kinds[format.type]}'`,
    `external_location = ${sqlText(table.location)}`,
    ...(partitions.length === 0
      ? []
      : [`partitioned_by = ARRAY[${partitions.map((name) => sqlText(name.toLowerCase())).join(', ')}]`]),
    ...(format.type === 'csv' && format.delimiter !== ','
      ? [`csv_separator = ${sqlText(format.delimiter)}`]
      : []),
    ...(format.type === 'csv' && format.header ? ['skip_header_line_count = 1'] : []),
  ];
  const name = `${doubleQuoted(table.schema)}.${doubleQuoted(table.name)}`;
  return [
    `CREATE TABLE ${name} (\n${indented(columns)}\n)\nWITH (\n${indented(properties)}\n)`,
    ...(partitions.length === 0
      ? []
      : [`CALL system.sync_partition_metadata(${sqlText(table.schema)}, ${sqlText(table.name)}, 'FULL')`]),
  ];
}

function hiveStatements(engine: 'hive' | 'athena', table: Table, warnings: string[]): string[] {
  const { partitions } = table;
  const name = `${backticked(table.schema)}.${backticked(table.name)}`;
  const columns = columnLines(table, 'hive', backticked, false, warnings);
  const partitioned = partitions.map((each) => `${backticked(each)} string`).join(', ');
  const create = [
    `CREATE EXTERNAL TABLE ${name} (\n${indented(columns)}\n)`,
    ...(partitions.length === 0 ? [] : [`PARTITIONED BY (${partitioned})`]),
    ...hiveFormat(engine, table),
  ].join('\n');
  if (partitions.length === 0) return [create];
  // Escaped values (`a%2Fb`) are "invalid characters in the name" otherwise.
  const repair = engine === 'hive' ? ['SET hive.msck.path.validation=ignore'] : [];
  return [create, ...repair, `MSCK REPAIR TABLE ${name}`];
}

/** What comes behind the columns. */
function hiveFormat(engine: 'hive' | 'athena', table: Table): string[] {
  const { format, location, by } = table;
  const lines = hiveStorage(
    engine,
    table,
    `LOCATION ${sqlText(by === 'manifest' ? `${location}/${MANIFEST_FOLDER}` : location)}`,
  );
  if (by !== 'manifest') return lines;
  // The lists are text, whatever the files are that they name.
  const formats = [
    "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'",
    "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
  ];
  const serde =
    format.type === 'parquet'
      ? ["ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'"]
      : [];
  return [...serde, ...lines.flatMap((line) => (line.startsWith('STORED AS') ? formats : line))];
}

function hiveStorage(engine: 'hive' | 'athena', { format }: Table, at: string): string[] {
  switch (format.type) {
    case 'parquet':
      return ['STORED AS PARQUET', at];
    case 'ndjson': {
      const serde =
        engine === 'hive' ? 'org.apache.hive.hcatalog.data.JsonSerDe' : 'org.openx.data.jsonserde.JsonSerDe';
      return [`ROW FORMAT SERDE '${serde}'`, 'STORED AS TEXTFILE', at];
    }
    case 'csv': {
      const separator =
        format.delimiter === ','
          ? []
          : [`WITH SERDEPROPERTIES ('separatorChar' = ${sqlText(format.delimiter)})`];
      const header = format.header ? ["TBLPROPERTIES ('skip.header.line.count' = '1')"] : [];
      const serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'";
      return [serde, ...separator, 'STORED AS TEXTFILE', at, ...header];
    }
    case 'text':
      return ['STORED AS TEXTFILE', at];
  }
}

function sparkStatements(table: Table, warnings: string[]): string[] {
  const { format, partitions } = table;
  const name = `${backticked(table.schema)}.${backticked(table.name)}`;
  const columns = [
    ...columnLines(table, 'hive', backticked, true, warnings),
    ...partitions.map((each) => `${backticked(each)} string`),
  ];
  const kinds = { parquet: 'PARQUET', ndjson: 'JSON', csv: 'CSV', text: 'TEXT' };
  const options =
    format.type === 'csv'
      ? [
          `OPTIONS (header = '${format.header}', sep = ${sqlText(format.delimiter)}, escape = '"', nullValue = ${sqlText(format.nullText)}, multiLine = '${format.dialect === 'standard'}')`,
        ]
      : [];
  const create = [
    `CREATE TABLE ${name} (\n${indented(columns)}\n)`,
    `USING ${kinds[format.type]}`,
    ...options,
    ...(partitions.length === 0 ? [] : [`PARTITIONED BY (${partitions.map(backticked).join(', ')})`]),
    `LOCATION ${sqlText(table.location)}`,
  ].join('\n');
  return partitions.length === 0 ? [create] : [create, `MSCK REPAIR TABLE ${name}`];
}

/**
 * A view: DuckDB has no tables over folders of others. It sees each new part at once; over manifests, what a variable lists:
 * functions that read files take no subquery.
 */
function duckdbStatements(table: Table): string[] {
  const { format, partitions } = table;
  const variable = `${table.schema}_${table.name}_parts`;
  const files =
    table.by === 'manifest'
      ? `getvariable(${sqlText(variable)})`
      : sqlText(`${globbed(table.path)}/${table.glob}`);
  const hive = [
    `hive_partitioning = ${partitions.length > 0}`,
    ...(partitions.length === 0
      ? []
      : [`hive_types = {${partitions.map((name) => `${sqlText(name)}: VARCHAR`).join(', ')}}`]),
  ];
  const types = table.columns.map(({ name, type }) => {
    const readable = readableType(type, format, true) ?? type;
    return `${sqlText(name)}: ${sqlText(typeText(readable, 'duckdb', doubleQuoted))}`;
  });
  const columns = `columns = {${types.join(', ')}}`;
  const reader = (): string => {
    switch (format.type) {
      case 'parquet':
        return call('read_parquet', [files, ...hive, 'union_by_name = true']);
      case 'ndjson':
        return call('read_json', [files, "format = 'newline_delimited'", columns, ...hive]);
      case 'csv':
        return call('read_csv', [
          files,
          columns,
          `header = ${format.header}`,
          `delim = ${sqlText(format.delimiter)}`,
          `quote = '"'`,
          `escape = '"'`,
          `nullstr = ${sqlText(format.nullText)}`,
          'auto_detect = false',
          ...hive,
        ]);
      case 'text':
        return call('read_csv', [
          files,
          columns,
          'header = false',
          "delim = '\\x00'",
          "quote = ''",
          "escape = ''",
          'auto_detect = false',
          ...hive,
        ]);
    }
  };
  const name = `${doubleQuoted(table.schema)}.${doubleQuoted(table.name)}`;
  const lists = sqlText(`${globbed(table.path)}/${MANIFEST_FOLDER}/**/manifest-*`);
  const look =
    table.by === 'manifest'
      ? [
          `SET VARIABLE ${doubleQuoted(variable)} = (\n  SELECT list(part) FROM (\n    SELECT unnest(string_split(content, chr(10))) AS part FROM read_text(${lists})\n  ) WHERE part <> ''\n)`,
        ]
      : [];
  return [
    ...look,
    `CREATE SCHEMA IF NOT EXISTS ${doubleQuoted(table.schema)}`,
    `CREATE VIEW ${name} AS\nSELECT *${withoutDoubledBackslashes(table)} FROM ${reader()}`,
  ];
}

/** The hive dialect of CSV doubles backslashes, which are nothing special elsewhere. */
function withoutDoubledBackslashes({ format, columns }: Table): string {
  if (format.type !== 'csv' || format.dialect !== 'hive') return '';
  const texts = columns.filter(({ type }) => type.kind === 'string').map(({ name }) => doubleQuoted(name));
  if (texts.length === 0) return '';
  return ` REPLACE (${texts.map((name) => `replace(${name}, '\\\\', '\\') AS ${name}`).join(', ')})`;
}

function call(name: string, args: readonly string[]): string {
  return `${name}(\n${indented(args)}\n)`;
}

function columnLines(
  { columns, format }: Table,
  names: TypeNames,
  quote: (name: string) => string,
  typed: boolean,
  warnings: string[],
): string[] {
  return columns.flatMap(({ name, type }) => {
    const readable = readableType(type, format, typed);
    if (readable === null) {
      warnings.push(
        `the column '${name}' is left out: it holds JSON of any kind, which no type of the engine reads`,
      );
      return [];
    }
    return `${quote(name)} ${typeText(readable, names, quote)}`;
  });
}

function warningsOf(engine: QueryEngine, { format, columns, by }: Table): string[] {
  const warnings: string[] = [];
  if (by === 'delta' && engine === 'hive')
    warnings.push('Hive has no Delta tables of its own: this one goes by the folders');
  if (by === 'manifest' && engine === 'hive' && format.type === 'parquet')
    warnings.push(
      'Hive itself takes these parts for text, and answers with nulls: the table is for Trino, Presto and Athena',
    );
  if (by === 'manifest' && engine === 'duckdb')
    warnings.push('SET VARIABLE is what looks for new parts: run it again before a query');
  if (by === 'manifest' && engine === 'spark')
    warnings.push('Spark reads no manifests: this table goes by the folders');
  if (engine === 'spark' && format.type === 'csv' && format.dialect === 'hive')
    warnings.push('backslashes in values are read doubled: `dialect: standard` has them as they are');
  const hadoop = engine === 'trino' || engine === 'presto' || engine === 'hive' || engine === 'athena';
  if (!hadoop) return warnings;
  if (format.type !== 'parquet' && format.compression === 'zstd' && engine !== 'trino')
    warnings.push(`${engine} does not read .zst files: take gzip`);
  if (
    format.type === 'ndjson' &&
    format.dialect === 'standard' &&
    columns.some(({ type }) => type.kind === 'timestamp')
  )
    warnings.push('timestamps are text: `dialect: hive` writes them as these engines read them');
  if (format.type === 'csv' && format.dialect === 'standard')
    warnings.push('line ends and backslashes in values are read wrongly: take `dialect: hive`');
  if (format.type === 'csv' && format.header && engine === 'presto')
    warnings.push('Presto reads the header of each part as a row: set `header: false`');
  return warnings;
}

/** A path whose characters stand for themselves where DuckDB takes a glob. */
function globbed(path: string): string {
  return path.replace(/[[*?]/g, '[$&]');
}
