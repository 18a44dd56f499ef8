/** Parts that are written in one go are written by the main thread: what a crash there leaves. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProgramFolder } from '../support/program-folder.ts';

let folder: ProgramFolder;
beforeEach(async () => {
  folder = await ProgramFolder.create();
});
afterEach(() => folder.remove());

/** Every part is closed with its only bytes. */
const WHOLE = '{ part_size: 1GiB, rollover_interval: 1h, inactivity_interval: 1h }';

describe('kill -9 while a part is written in one go', () => {
  it.each(['part.write.after', 'part.persist.after'])('%s: nothing is lost or doubled', async (step) => {
    await folder.job({ format: '{ type: parquet }', rolling: WHOLE });
    await folder.arrive('a.ndjson', 3000, 0);
    for (const nth of [1, 3]) {
      const killed = await folder.run('backfill', { env: { SLUICE_FAILPOINT: `${step}:${nth}` } });
      expect(killed).toMatchObject({ signal: 'SIGKILL' });
      expect(await folder.visibleParts()).toEqual([]);
    }
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });
});
