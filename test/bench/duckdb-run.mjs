// DuckDB as a whole process of its own: `node duckdb-run.mjs <threads> <sql>`.
import { DuckDBInstance } from '@duckdb/node-api';

const [threads, sql] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
await connection.run(sql);
connection.closeSync();
instance.closeSync();
