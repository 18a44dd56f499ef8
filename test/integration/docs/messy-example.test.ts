/** `npm run demo:messy`, run as a program: broken real files go through, and what was put there is accounted for. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { listLake, readTable } from '../../support/oracle.ts';
import { ROOT } from '../../support/product-code.ts';
import { readQuarantine } from '../../support/quarantine.ts';

it('the messy-data demo accounts for every record', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-messy-'));
  try {
    const tsx = pathToFileURL(path.join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;
    const program = path.join(ROOT, 'test/examples/messy/main.ts');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', tsx, program], {
      cwd: folder,
    });
    expect(stdout).toContain(
      '7002 records were put there: 6829 are rows of the lake, 173 are in the quarantine',
    );
    expect(stdout).toContain(
      '3182 records were put there: 3147 are rows of the lake, 35 are in the quarantine',
    );
    expect(stderr.match(/every row that was read is accounted for/g)).toHaveLength(2);

    // The same, counted without the product.
    for (const [job, rows, refused] of [
      ['birds', 6829, 173],
      ['movies', 3147, 35],
    ] as const) {
      const lake = path.join(folder, 'messy-lake', 'lake', job);
      const { visible } = await listLake(lake);
      let found = 0;
      for (const part of visible) found += (await readTable(path.join(lake, part), {})).length;
      expect(found).toBe(rows);
      expect(await readQuarantine(path.join(folder, 'messy-lake', 'quarantine', job))).toHaveLength(refused);
    }
    expect((await readdir(path.join(folder, 'messy-lake', 'in', 'birds'))).length).toBe(9);
  } finally {
    await rm(folder, { recursive: true });
  }
});
