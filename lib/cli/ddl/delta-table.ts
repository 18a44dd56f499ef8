/** A Delta table, as engines learn of it: columns and partitions stand in its log. */
import type { QueryEngine } from './query-engine.ts';
import { backticked, doubleQuoted, sqlText } from './quote.ts';
import type { Table } from './table.ts';

/** @param engine one that reads Delta tables */
export function deltaStatements(engine: Exclude<QueryEngine, 'hive'>, table: Table): string[] {
  const { schema, name, location, path } = table;
  const quoted = `${doubleQuoted(schema)}.${doubleQuoted(name)}`;
  switch (engine) {
    case 'trino':
      return [
        `CALL delta.system.register_table(schema_name => ${sqlText(schema)}, table_name => ${sqlText(name)}, table_location => ${sqlText(location)})`,
      ];
    case 'presto':
      // The column only fills the place: the log tells what there is.
      return [
        `CREATE TABLE delta.${quoted} (\n  dummy integer\n)\nWITH (\n  external_location = ${sqlText(location)}\n)`,
      ];
    case 'spark':
      return [
        `CREATE TABLE ${backticked(schema)}.${backticked(name)}\nUSING DELTA\nLOCATION ${sqlText(location)}`,
      ];
    case 'athena':
      return [
        `CREATE EXTERNAL TABLE ${backticked(schema)}.${backticked(name)}\nLOCATION ${sqlText(location)}\nTBLPROPERTIES ('table_type' = 'DELTA')`,
      ];
    case 'duckdb':
      return [
        'INSTALL delta',
        'LOAD delta',
        `CREATE SCHEMA IF NOT EXISTS ${doubleQuoted(schema)}`,
        `CREATE VIEW ${quoted} AS\nSELECT * FROM delta_scan(${sqlText(path)})`,
      ];
  }
}
