/** What is in a quarantine folder, read without the product's code. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readTable } from './oracle.ts';

export interface Quarantined {
  readonly reason: string;
  readonly column: string | null;
  /** File name without its folder. */
  readonly file: string;
  readonly offset: number;
  readonly line: number | null;
  readonly checkpoint: number;
  readonly complete: boolean;
  readonly text: string;
}

/** Rows of the visible parts that lie directly in a folder. */
export async function readQuarantine(folder: string): Promise<Quarantined[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const rows: Quarantined[] = [];
  for (const entry of names) {
    if (!entry.isFile() || /^[._]/.test(entry.name)) continue;
    for (const row of await readTable(path.join(folder, entry.name), {})) {
      const record = row.record;
      rows.push({
        reason: String(row.reason),
        column: row.column === null ? null : String(row.column),
        file: path.basename(String(row.file)),
        offset: Number(row.offset),
        line: row.line === null ? null : Number(row.line),
        checkpoint: Number(row.checkpoint),
        complete: row.complete === true,
        // Parquet holds the bytes; its reader here takes them for text.
        text: entry.name.endsWith('.parquet')
          ? String(record)
          : Buffer.from(String(record), 'base64').toString('latin1'),
      });
    }
  }
  return rows;
}

/** Hidden files in a folder. */
export async function hiddenFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => path.basename(name).startsWith('.'));
}
