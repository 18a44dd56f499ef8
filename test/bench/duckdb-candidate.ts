import { fileURLToPath } from 'node:url';
import type { Candidate } from './candidate.ts';
import type { Events } from './web-events.ts';

/**
 * What DuckDB does with the input:
 *   sniffed    into Parquet, columns found out by itself
 *   declared   into Parquet, columns given in the statement
 *   lines      each line as it is into the folder of its hour; its JSON writer cannot partition, so it writes CSV
 *              of one unquoted column, which is the same bytes and less work
 */
export type DuckDbWay = 'sniffed' | 'declared' | 'lines';

export interface DuckDbOptions {
  readonly threads: number;
  readonly way: DuckDbWay;
  readonly versus: string | null;
  /** More than one: in one process, the statement alone is timed, and the first time does not count. */
  readonly runs?: number;
}

const RUN = fileURLToPath(new URL('duckdb-run.mjs', import.meta.url));

const COLUMNS =
  "{ts: 'TIMESTAMP', user: 'VARCHAR', country: 'VARCHAR', page: 'VARCHAR', status: 'INTEGER', bytes: 'BIGINT', ms: 'DOUBLE', agent: 'VARCHAR', tags: 'VARCHAR[]'}";

export function duckDbName({ threads, way, runs = 1 }: Omit<DuckDbOptions, 'versus'>): string {
  return `DuckDB, ${threads}, ${way}${runs > 1 ? ', in process' : ''}`;
}

/** DuckDB's COPY of the same input into the same folders: what people run instead. */
export function duckDb({ threads, way, versus, runs = 1 }: DuckDbOptions): Candidate {
  return {
    name: duckDbName({ threads, way, runs }),
    versus,
    prepare: async (folder, input) => {
      if (input === null) throw new Error('DuckDB needs an input');
      return [
        RUN,
        String(threads),
        String(runs),
        `${folder}/lake`,
        copyStatement(way, input, `'${folder}/lake'`),
      ];
    },
  };
}

function copyStatement(way: DuckDbWay, input: Events, lake: string): string {
  const files = `'${input.folder}/*.${input.format}'`;
  if (way === 'lines') {
    return `COPY (SELECT line, t[1:10] AS dt, t[12:13] AS hour FROM (SELECT line, line->>'ts' AS t FROM
      read_csv(${files}, columns = {line: 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', header = false, auto_detect = false)))
      TO ${lake} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\\x01', FILE_EXTENSION 'ndjson', PARTITION_BY (dt, hour))`;
  }
  const isCsv = input.format === 'csv';
  const declared = isCsv
    ? `, header = true, columns = ${COLUMNS.replace("'VARCHAR[]'", "'VARCHAR'")}`
    : `, columns = ${COLUMNS}`;
  const source = `${isCsv ? 'read_csv' : 'read_ndjson'}(${files}${way === 'declared' ? declared : ''})`;
  // Casts, not strftime: the cheapest way there is to the same folders.
  return `COPY (SELECT *, ts::DATE AS dt, hour(ts) AS hour FROM ${source})
    TO ${lake} (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (dt, hour))`;
}
