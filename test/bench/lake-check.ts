/** Whether a run wrote what it should have: figures of wrong results are worth nothing. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { OutputFormat } from './candidate.ts';
import type { Events } from './web-events.ts';

export interface LakeSize {
  readonly files: number;
  readonly sizeBytes: number;
}

/** Files of the lake that readers see. */
export async function lakeSize(lake: string): Promise<LakeSize> {
  let files = 0;
  let sizeBytes = 0;
  for (const entry of await readdir(lake, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^[._]/.test(entry.name)) continue;
    files++;
    sizeBytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return { files, sizeBytes };
}

/** @throws Error unless the lake has the rows of the input, with the same sums, in as many folders as there are hours */
export async function checkLake(lake: string, output: OutputFormat, input: Events): Promise<void> {
  const read = output === 'parquet' ? 'read_parquet' : 'read_ndjson';
  const files = `${lake}/*/*/*.${output === 'parquet' ? 'parquet' : '*json'}`;
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const result = await connection.runAndReadAll(
      `SELECT count(*), sum(bytes), sum(status), count(DISTINCT (dt, hour)), count(DISTINCT date_trunc('hour', ts::TIMESTAMP))
       FROM ${read}('${files}', hive_partitioning = true)`,
    );
    const found = (result.getRows()[0] ?? []).map(Number);
    const [rows, bytes, status, folders, hours] = found;
    const fits =
      rows === input.rows && bytes === input.sumBytes && status === input.sumStatus && folders === hours;
    if (!fits) {
      throw new Error(
        `the lake is wrong: rows, sums, folders, hours are ${found.join(', ')}; wanted ${input.rows}, ${input.sumBytes}, ${input.sumStatus}`,
      );
    }
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}
