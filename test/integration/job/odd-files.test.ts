/** A folder with everything that a folder can hold by accident: a job ends, says what it did, and accounts for each record. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listLake, readTable } from '../../support/oracle.ts';
import { sluice } from '../../support/program.ts';
import { readQuarantine } from '../../support/quarantine.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-odd-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const TORN_ROWS = 20_000;

async function fill(): Promise<void> {
  const put = (name: string | Buffer, text: string | Uint8Array) =>
    writeFile(Buffer.concat([Buffer.from(`${folder}/in/`), Buffer.from(name)]), text);
  await put('plain.csv', 'id,name,n\n1,a,2\n2,b,3\n');
  await put('utf16.csv', Buffer.from('\uFEFFid,name,n\n3,käse,4\n', 'utf16le'));
  await put('bom.csv', '\uFEFFid,name,n\n4,c,5\n');
  await put('varying.csv', 'id,name,n\n5,d\n6,e,7,8\n7,f,8\n');
  await put('prototype.csv', 'id,__proto__,constructor,toString,n\n8,p,c,t,9\n');
  await put('empty.csv', '');
  await put('empty.csv.gz', '');
  await put('header-only.csv', 'id,name,n\n');
  await put('blank.csv', '\n\n\n');
  await put('new\nline.csv', 'id,name,n\n9,nl,1\n');
  await put('per%cent %2F.csv', 'id,name,n\n10,pc,1\n');
  await put(Buffer.from('bad-\xff.csv', 'latin1'), 'id,name,n\n11,x,1\n');
  await put('old-mac.csv', 'id,name,n\r13,cr,1\r14,cr,2\r');
  await put('nul.csv', 'id,name,n\n16,a\0b,1\n');
  await put('open-quote.csv', 'id,name,n\n17,"open,1\n18,b,2\n');
  const rows = Array.from({ length: TORN_ROWS }, (_, i) => `${100 + i},z${(i * 7919) % 100_003},${i}\n`);
  const whole = gzipSync(`id,name,n\n${rows.join('')}`);
  await put('torn.csv.gz', whole.subarray(0, whole.length / 2));
  execFileSync('mkfifo', [path.join(folder, 'in/fifo.csv')]);
  await symlink('loop.csv', path.join(folder, 'in/loop.csv'));
  await symlink('.', path.join(folder, 'in/loop'));
  await symlink('/nowhere', path.join(folder, 'in/dangling.csv'));
  await symlink('/dev/zero', path.join(folder, 'in/device.csv'));
  await mkdir(path.join(folder, 'in/folder.csv'));
}

it('plan, backfill and verify end well, and every record is a row or in the quarantine', async () => {
  await fill();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path.join(folder, 'in/socket.csv'), resolve));
  const job = path.join(folder, 'job.yaml');
  await writeFile(
    job,
    `version: 1
job: odd
state: ./state
source:
  path: ./in
  format:
    type: csv
    on_bad_record: quarantine
    on_new_field: evolve
    schema: [{ name: id, type: int64 }, { name: name, type: string }, { name: n, type: int64 }]
quarantine: { path: ./quarantine }
sink: { path: ./lake, format: { type: ndjson }, bucket: { type: base_path } }
`,
  );
  try {
    const planned = await sluice(['plan', '--json', job]);
    expect(planned.code, planned.stderr).toBe(0);
    const { files, sample } = JSON.parse(planned.stdout.trimEnd().split('\n').at(-1)!);
    expect(files).toBe(15);
    for (const { path: file, why } of sample.unreadable)
      expect([file, why].join(), file).toMatch(/old-mac|utf16/);
    const ran = await sluice(['backfill', job]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/bad-.*\.csv.* is left out: its name is not valid UTF-8/);

    const rows = [];
    for (const part of (await listLake(path.join(folder, 'lake'))).visible)
      rows.push(...(await readTable(path.join(folder, 'lake', part))));
    const ids = rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
    const torn = ids.filter((id) => id >= 100);
    expect(ids.slice(0, -torn.length)).toEqual([1, 2, 4, 7, 8, 9, 10, 16, 18]);
    const odd = rows.find(({ id }) => id === 8)!;
    expect(Object.getOwnPropertyDescriptor(odd, '__proto__')?.value).toBe('p');
    expect(odd).toMatchObject({ constructor: 'c', toString: 't', n: 9 });
    // Half of the file's bytes are there, and the rows in them.
    expect(torn.length).toBeGreaterThan(TORN_ROWS / 4);
    expect(torn).toEqual(torn.map((_, i) => 100 + i));

    const kept = (await readQuarantine(path.join(folder, 'quarantine'))).map(
      ({ reason, file }) => `${reason} ${file}`,
    );
    expect(kept.sort()).toEqual([
      'field_count varying.csv',
      'field_count varying.csv',
      'file_corrupt torn.csv.gz',
      'file_header old-mac.csv',
      'file_header utf16.csv',
      'malformed open-quote.csv',
    ]);
    const verified = await sluice(['verify', '--deep', '--json', job]);
    expect(verified.code, verified.stdout).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      source: { rows: ids.length, quarantined: 6 },
      lake: { rows: ids.length },
      deep: { compared: true },
    });
  } finally {
    server.close();
  }
});
