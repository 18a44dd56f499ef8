/** A query over the lake by somebody who never heard of sluice: DuckDB, or hyparquet where DuckDB has no binary. */
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';

export interface Answer {
  readonly by: string;
  readonly query: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Rows for each `dt=` folder, and how late flights were where the reader can say it. */
export async function rowsPerBucket(lake: string, files: Iterable<string>): Promise<Answer> {
  const duckDb = await import('@duckdb/node-api').catch(() => null);
  return duckDb === null ? readFooters(lake, files) : askDuckDb(duckDb, lake);
}

async function askDuckDb(
  { DuckDBInstance }: typeof import('@duckdb/node-api'),
  lake: string,
): Promise<Answer> {
  const query = `SELECT dt, count(*) AS flights, round(avg(delay), 1) AS avg_delay_min
FROM read_parquet('${path.relative('', lake)}/*/*.parquet', hive_partitioning = true)
GROUP BY dt ORDER BY dt`;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(query);
  const rows = result.getRows().map((row) => row.map(String));
  connection.closeSync();
  instance.closeSync();
  return { by: 'DuckDB', query, head: result.columnNames(), rows };
}

/** A Parquet footer says how many rows the file has: no row need be read. */
async function readFooters(lake: string, files: Iterable<string>): Promise<Answer> {
  const rows = new Map<string, bigint>();
  for (const file of files) {
    const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path.join(lake, file)));
    const dt = path.dirname(file).replace('dt=', '');
    rows.set(dt, (rows.get(dt) ?? 0n) + num_rows);
  }
  return {
    by: 'hyparquet',
    query: 'rows of each Parquet footer',
    head: ['dt', 'flights'],
    rows: [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([dt, count]) => [dt, String(count)]),
  };
}
