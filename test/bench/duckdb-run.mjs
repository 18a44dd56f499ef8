// DuckDB as a process of its own: `node duckdb-run.mjs <threads> <runs> <lake> <sql>`. With more than one run, only the
// statement is timed, and the first time does not count.
import { DuckDBInstance } from '@duckdb/node-api';
import { repeat } from './in-process.mjs';

const [threads, runs, lake, sql] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
if (runs === '1') await connection.run(sql);
else {
  await repeat(Number(runs), [lake], async () => {
    await connection.run(sql);
    return {};
  });
}
connection.closeSync();
instance.closeSync();
