/** Looks into a quarantine of NDJSON parts, as anybody can: it is a lake of its own. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import Table from 'cli-table3';

interface Refused {
  readonly reason: string;
  readonly column: string | null;
  readonly record: string;
}

export async function reasonsOf(folder: string): Promise<string> {
  const records: Refused[] = [];
  for (const name of (await readdir(folder)).filter((each) => each.startsWith('quarantine-'))) {
    const text = await readFile(path.join(folder, name), 'utf8');
    for (const line of text.split('\n')) if (line !== '') records.push(JSON.parse(line) as Refused);
  }
  const groups = new Map<string, Refused[]>();
  for (const record of records) {
    const key = JSON.stringify([record.reason, record.column]);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const table = new Table({
    head: ['reason', 'column', 'records', 'one of them'],
    style: { head: [], border: [], compact: true },
  });
  for (const group of [...groups.values()].sort((a, b) => b.length - a.length)) {
    const { reason, column, record } = group[0]!;
    table.push([reason, column ?? '', String(group.length), shown(Buffer.from(record, 'base64'))]);
  }
  return table.toString();
}

function shown(bytes: Buffer): string {
  return bytes
    .subarray(0, 50)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '·');
}
