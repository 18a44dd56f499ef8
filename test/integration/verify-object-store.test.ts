/** `sluice verify` of a job whose source, lake and state are in a real object store: nothing is found, or what was done to it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import { readObject } from '../../lib/storage/s3/read-piece.ts';
import { sluice, startSluice } from '../support/program.ts';
import { hasS3Server, S3_SERVERS } from '../support/s3-servers.ts';
import { until } from '../support/until.ts';
import { useS3Server } from '../support/use-s3-server.ts';

const RETRY = { clock: systemClock, random: Math.random, timeoutMs: 5000 };
const FILES = 6;
const ROWS_A_FILE = 20;
const ROWS = FILES * ROWS_A_FILE;
/** Of the first file: a record that does not fit. */
const BAD = '{"id":"none"}\n';

for (const name of S3_SERVERS) {
  describe.skipIf(!hasS3Server(name))(`verify on ${name}`, () => {
    const s3 = useS3Server(name);
    let job: string;
    beforeEach(() => {
      job = path.join(s3.folder, 'job.yaml');
    });

    const remove = (key: string) => s3.store.remove(s3.bucket, [key]);
    const get = async (key: string) => (await readObject(s3.store, { bucket: s3.bucket, key }, RETRY))!;

    const textOf = (file: number) =>
      Array.from({ length: ROWS_A_FILE }, (_, i) => {
        const id = file * ROWS_A_FILE + i;
        return `{"id":${id},"day":"d${id % 2}"}\n`;
      }).join('') + (file === 0 ? BAD : '');

    /** Two partitions with a part each, and a quarantine. */
    async function fill(format: string): Promise<void> {
      await writeFile(
        job,
        `version: 1
job: verified
state: s3://${s3.bucket}/state
parallelism: 1
source:
  path: s3://${s3.bucket}/in
  format: { type: ndjson, schema: [{ name: id, type: int64 }, { name: day, type: string }], on_bad_record: quarantine }
quarantine: { path: s3://${s3.bucket}/quarantine }
sink:
  path: s3://${s3.bucket}/lake
  format: ${format}
  bucket: { type: fields, fields: [day] }
s3: { endpoint: '${s3.server.endpoint}', retry_timeout: 5s }
`,
      );
      for (let file = 0; file < FILES; file++) await s3.put(`in/${file}.ndjson`, Buffer.from(textOf(file)));
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
    }

    async function parts(): Promise<string[]> {
      const { objects } = await s3.store.list({ bucket: s3.bucket, prefix: 'lake/' });
      return objects.map(({ key }) => key).filter((key) => !/\/[._]/.test(key));
    }

    async function verify(...options: string[]) {
      const { code, stdout, stderr } = await sluice(['verify', '--json', ...options, job]);
      expect(stderr).toBe('');
      const report = JSON.parse(stdout.split('\n')[0]!);
      expect(code, stdout).toBe(report.ok ? 0 : 3);
      const findings = report.findings.map((finding: { code: string; path: string | null }) => [
        finding.code,
        finding.path?.replace(`s3://${s3.bucket}/`, '') ?? null,
      ]);
      return { report, findings };
    }

    for (const format of ['{ type: parquet }', '{ type: csv, compression: gzip }']) {
      it(`${format}: as it was made, nothing is found`, async () => {
        await fill(format);
        const { report } = await verify('--deep');
        expect(report).toMatchObject({
          ok: true,
          source: { files: FILES, records: ROWS + 1, rows: ROWS, quarantined: 1, gone: 0 },
          lake: { parts: 2, rows: ROWS, quarantine_parts: 1, pending_parts: 0 },
          deep: { compared: true, rows: ROWS, files: FILES },
        });
      });
    }

    it('a part deleted, cut, doubled; a foreign object; a source object replaced, or gone', async () => {
      await fill('{ type: parquet }');
      const [first] = await parts();
      const bytes = await get(first!);
      const name = first!.slice(first!.lastIndexOf('/') + 1);

      await remove(first!);
      expect((await verify()).findings).toEqual([['part_missing', first]]);
      await s3.put(first!, bytes.subarray(0, bytes.length - 1));
      expect((await verify('--deep')).findings).toEqual([['part_truncated', first]]);
      // As long as it was, and no Parquet any more.
      await s3.put(first!, Buffer.concat([bytes.subarray(1), Buffer.from('x')]));
      expect((await verify()).findings).toEqual([['part_damaged', first]]);
      await s3.put(first!, bytes);
      expect((await verify('--deep')).findings).toEqual([]);

      const copy = `lake/day=d7/${name.replace('.parquet', '-copy.parquet')}`;
      await s3.put(copy, bytes);
      await s3.put('lake/notes.txt', Buffer.from('whose is this?'));
      expect((await verify()).findings.sort()).toEqual([
        ['part_doubled', copy],
        ['stranger', 'lake/notes.txt'],
      ]);
      await remove(copy);
      await remove('lake/notes.txt');

      // Of the same length: only its version tells.
      await s3.put('in/3.ndjson', Buffer.from(textOf(3).replaceAll('d0', 'd5')));
      expect((await verify()).findings).toEqual([['source_changed', 'in/3.ndjson']]);
      await remove('in/3.ndjson');
      const { report, findings } = await verify('--deep');
      expect(findings).toEqual([]);
      expect(report).toMatchObject({ source: { gone: 1 }, deep: { compared: false } });
    });

    it('a hidden piece of an open part, and a segment of its rows', async () => {
      await writeFile(
        job,
        `version: 1
job: verified
state: s3://${s3.bucket}/state
parallelism: 1
checkpoint: { interval: 200ms }
source: { path: s3://${s3.bucket}/in, format: { type: text }, monitor_interval: 200ms }
sink: { path: s3://${s3.bucket}/lake, format: { type: ndjson }, bucket: { type: base_path } }
s3: { endpoint: '${s3.server.endpoint}', retry_timeout: 5s }
`,
      );
      const keys = async (prefix: string) =>
        (await s3.store.list({ bucket: s3.bucket, prefix })).objects.map(({ key }) => key);
      const openRows = async () =>
        JSON.parse((await sluice(['status', '--json', job])).stdout).checkpoint?.openParts[0];
      const daemon = startSluice(['run', job]);
      try {
        await s3.put('in/large', Buffer.from(`${'x'.repeat(1000)}\n`.repeat(400)));
        await until('rows in a piece', async () => (await openRows())?.durableBytes > 0);
        await s3.put('in/small', Buffer.from('x\n'));
        await until('rows in a segment', async () => (await openRows())?.segmentBytes > 0);
      } finally {
        daemon.child.kill('SIGTERM');
        await daemon.ended;
      }
      expect((await verify()).findings).toEqual([]);
      const [piece] = await keys('lake/.part-');
      const segment = (await keys('state/')).find((key) => /\/\d+-\d+-[^/]*\.segment$/.test(key));
      await s3.put(segment!, Buffer.alloc(1));
      expect((await verify()).findings).toEqual([['segment_changed', segment]]);
      await remove(segment!);
      await remove(piece!);
      expect((await verify()).findings).toEqual([
        ['hidden_missing', piece],
        ['segment_missing', segment],
      ]);
    });

    it('--deep: a value that changed in a part of the same length and rows', async () => {
      await fill('{ type: ndjson }');
      const [first] = await parts();
      const text = Buffer.from(await get(first!)).toString();
      await s3.put(first!, Buffer.from(text.replace('"id":100', '"id":999')));
      expect((await verify()).findings).toEqual([]);
      expect((await verify('--deep')).findings).toEqual([['content_differs', null]]);
    });
  });
}
