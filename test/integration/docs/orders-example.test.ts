/** The example of StreamingFileSink, run as a program: killed again and again, every order is in the lake once. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listLake } from '../../support/oracle/lake-files.ts';
import { ROOT } from '../../support/product-code.ts';
import { until } from '../../support/until.ts';

const ORDERS = 10_500;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-orders-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...names: string[]) => path.join(folder, ...names);

function start() {
  const program = path.join(ROOT, 'test/examples/orders/main.ts');
  const args = ['--import', 'tsx', program, at('orders.ndjson'), at('lake'), at('state')];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, output: () => output };
}

const checkpoints = async () =>
  (await readdir(at('state/orders/checkpoints')).catch(() => [])).filter((name) => /^\d/.test(name)).sort();

it('the example of StreamingFileSink writes every order once, killed twice on the way, in parts of the shape it asks for', async () => {
  const countries = ['DE', 'FR', 'a/b'];
  const orders = Array.from({ length: ORDERS }, (_, id) => ({
    id,
    country: countries[id % 3],
    total: (id / 4).toFixed(2),
    at: new Date(1_790_000_000_000 + id * 1000).toISOString(),
  }));
  await writeFile(at('orders.ndjson'), orders.map((order) => `${JSON.stringify(order)}\n`).join(''));
  for (let kill = 0; kill < 2; kill++) {
    const before = (await checkpoints()).at(-1) ?? '';
    const { child, ended, output } = start();
    await until(
      `checkpoint ${output()}`,
      async () => (await checkpoints()).length > 1 && (await checkpoints()).at(-1)! > before,
    );
    child.kill('SIGKILL');
    await ended;
  }
  for (const expected of [
    /^\d+ orders written, \d+000 were there already\n$/,
    /^0 orders written, 10500 were there already\n$/,
  ]) {
    const { ended, output } = start();
    expect(await ended, output()).toBe(0);
    expect(output()).toMatch(expected);
  }
  const { visible, hidden } = await listLake(at('lake'));
  expect(hidden).toEqual(['.sluice-orders.json']);
  const found: { id: bigint; country: string; total: number }[] = [];
  for (const part of visible) {
    expect(part).toMatch(/^country=(DE|FR|a%2Fb)\/orders-[0-9a-f]{8}-0-\d+\.parquet$/);
    const bytes = await readFile(at('lake', part));
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
      compressors,
    });
    expect(rows.length).toBeLessThanOrEqual(2000);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(['id', 'total', 'at']);
      const country = decodeURIComponent(part.slice('country='.length, part.indexOf('/', 8)));
      found.push({ id: row.id as bigint, country, total: row.total as number });
    }
  }
  found.sort((a, b) => Number(a.id - b.id));
  expect(found).toEqual(
    orders.map(({ id, country, total }) => ({ id: BigInt(id), country, total: Number(total) })),
  );
});
