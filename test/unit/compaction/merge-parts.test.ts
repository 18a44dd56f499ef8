import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parquetMetadata } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadCompressor } from '../../../formats/compression/compressor.ts';
import { createOutputFormat } from '../../../formats/output-format.ts';
import { type MergeAnswer, type MergeConfig, mergeParts } from '../../../lib/compaction/merge-parts.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { systemClock } from '../../../lib/core/clock.ts';
import { identityRows } from '../../../lib/core/column.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { OutputFormatSpec } from '../../../lib/core/specs.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { parquetOutput, schemaOf } from '../../support/job.ts';
import { readTable } from '../../support/oracle.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-merge-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function merge(
  format: OutputFormatSpec,
  names: readonly string[],
  config: Partial<MergeConfig> = {},
): Promise<MergeAnswer & { readonly out: string }> {
  const fileSystem = localFileSystem('00000001');
  const sources = await Promise.all(
    names.map(async (name) => {
      const { sizeBytes } = (await fileSystem.stat(path.join(folder, name)))!;
      return { path: path.join(folder, name), sizeBytes };
    }),
  );
  const out = path.join(folder, `merged${/\..*$/.exec(names[0]!)![0]}`);
  const answer = await mergeParts(
    { sources, finalPath: out },
    {
      format,
      staging: null,
      s3: DEFAULT_S3,
      targetBytes: 1 << 20,
      sortBy: [],
      bytesPerSecond: 1e12,
      ...config,
    },
    fileSystem,
    systemClock,
  );
  if (answer.file !== null) await fileSystem.recoverableWriter.commit([answer.file]);
  return { ...answer, out };
}

const SCHEMA = schemaOf({
  id: 'int64',
  name: 'string',
  at: 'timestamp(us)',
  day: 'date',
  price: 'decimal(10,2)',
  raw: 'binary',
  flags: 'list<boolean>',
  place: 'struct<lat: float64, tags: list<string>>',
  doc: 'json',
});

function rowsOf(from: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return {
      id: BigInt(n),
      name: n % 7 === 0 ? null : `name ${n % 13}`,
      at: BigInt(n) * 1_000_001n,
      day: new Date((n % 1000) * 86_400_000),
      price: `${n}.25`,
      raw: Uint8Array.of(n & 255, 1),
      flags: n % 3 === 0 ? [] : [true, null, n % 2 === 0],
      place: n % 5 === 0 ? null : { lat: n / 4, tags: [`t${n % 3}`] },
      doc: `{"n":${n}}`,
    };
  });
}

async function writeParquet(
  name: string,
  rows: readonly Record<string, unknown>[],
  options: { schema?: Schema; spec?: OutputFormatSpec; flushRows?: number } = {},
): Promise<void> {
  const { schema = SCHEMA, spec = parquetOutput, flushRows = rows.length } = options;
  const output = await createOutputFormat(spec);
  if (output.kind !== 'bulk') throw new Error('not a bulk format');
  const writer = output.format.createWriter(schema, null);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < rows.length; at += flushRows) {
    const some = rows.slice(at, at + flushRows);
    writer.append(
      new Batch(schema, columnsOf(schema, some), some.length),
      identityRows(some.length),
      0,
      some.length,
    );
    pieces.push(writer.flush().slice());
  }
  pieces.push(writer.finish().slice());
  await writeFile(path.join(folder, name), Buffer.concat(pieces));
}

async function metadata(file: string) {
  const bytes = await readFile(file);
  return parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
}

describe('Parquet', () => {
  for (const compression of ['none', 'snappy', 'gzip', 'zstd'] as const) {
    const spec: OutputFormatSpec = {
      type: 'parquet',
      engine: 'sluice',
      compression,
      rowGroupBytes: 1 << 25,
      pageBytes: 1 << 20,
    };
    test(`${compression}: copied or encoded again, the values stay`, async () => {
      await writeParquet('a.parquet', rowsOf(0, 500), { spec, flushRows: 200 });
      await writeParquet('b.parquet', rowsOf(500, 300), { spec });
      const expected = [
        ...(await readTable(path.join(folder, 'a.parquet'))),
        ...(await readTable(path.join(folder, 'b.parquet'))),
      ];
      const names = ['a.parquet', 'b.parquet'];
      const again = await merge(spec, names);
      expect(await readTable(again.out)).toEqual(expected);
      expect((await metadata(again.out)).row_groups).toHaveLength(1);
      await rm(again.out);
      // So small a target makes any row group a large one.
      const copied = await merge(spec, names, { targetBytes: 8 });
      expect(await readTable(copied.out)).toEqual(expected);
      const { row_groups: groups, num_rows: rows } = await metadata(copied.out);
      expect(groups.map((group) => Number(group.num_rows))).toEqual([200, 200, 100, 300]);
      expect(Number(rows)).toBe(800);
    });
  }

  test('a merged part is merged again, both ways', async () => {
    for (const name of ['a', 'b', 'c']) await writeParquet(`${name}.parquet`, rowsOf(name.charCodeAt(0), 50));
    const expected = (
      await Promise.all(['a', 'b', 'c'].map((name) => readTable(path.join(folder, `${name}.parquet`))))
    ).flat();
    for (const targetBytes of [8, 1 << 20]) {
      const once = await merge(parquetOutput, ['a.parquet', 'b.parquet'], { targetBytes });
      await writeFile(path.join(folder, 'ab.parquet'), await readFile(once.out));
      await rm(once.out);
      const twice = await merge(parquetOutput, ['ab.parquet', 'c.parquet'], { targetBytes });
      expect(await readTable(twice.out)).toEqual(expected);
      await rm(twice.out);
    }
  });

  test('row groups are ordered by the columns asked for, nulls first', async () => {
    await writeParquet('a.parquet', rowsOf(0, 40));
    await writeParquet('b.parquet', rowsOf(40, 40));
    const { out } = await merge(parquetOutput, ['a.parquet', 'b.parquet'], {
      targetBytes: 8,
      sortBy: ['name', 'id'],
    });
    const rows = (await readTable(out)) as { name: string | null; id: bigint }[];
    const key = ({ name, id }: (typeof rows)[number]) => `${name ?? ''}/${String(id).padStart(9, '0')}`;
    expect(rows.map(key)).toEqual(rows.map(key).sort());
    expect(rows).toHaveLength(80);
  });

  test('parts of other columns are left out; where no two go together, nothing is made', async () => {
    const other = schemaOf({ id: 'int64', name: 'string' });
    const few = [{ id: 1n, name: 'x' }];
    await writeParquet('a.parquet', rowsOf(0, 5));
    await writeParquet('b.parquet', few, { schema: other });
    await writeParquet('c.parquet', rowsOf(5, 5));
    const some = await merge(parquetOutput, ['a.parquet', 'b.parquet', 'c.parquet']);
    expect(some.merged.map((file) => path.basename(file))).toEqual(['a.parquet', 'c.parquet']);
    expect(await readTable(some.out)).toHaveLength(10);
    await rm(some.out);
    const none = await merge(parquetOutput, ['a.parquet', 'b.parquet']);
    expect(none).toMatchObject({ file: null, merged: [] });
    expect((await readdir(folder)).sort()).toEqual(['a.parquet', 'b.parquet', 'c.parquet']);
  });

  test('a damaged part is an error that names it', async () => {
    await writeParquet('a.parquet', rowsOf(0, 5));
    const bytes = await readFile(path.join(folder, 'a.parquet'));
    await writeFile(path.join(folder, 'b.parquet'), bytes.subarray(0, bytes.length - 20));
    await expect(merge(parquetOutput, ['a.parquet', 'b.parquet'])).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
      message: expect.stringContaining('b.parquet'),
    });
    expect((await readdir(folder)).sort(), 'nothing is left behind').toEqual(['a.parquet', 'b.parquet']);
  });
});

describe('row formats', () => {
  const ndjson = (compression: 'none' | 'gzip' | 'zstd'): OutputFormatSpec => ({
    type: 'ndjson',
    compression,
    dialect: 'standard',
  });
  const csv = (compression: 'none' | 'gzip' | 'zstd', header: boolean): OutputFormatSpec => ({
    type: 'csv',
    compression,
    dialect: 'standard',
    delimiter: ',',
    header,
    nullText: '',
  });

  test.each(['none', 'gzip', 'zstd'] as const)(
    'NDJSON, %s: bytes one after the other',
    async (compression) => {
      const { extension, compress } = await loadCompressor(compression);
      const names = [1, 2, 3].map((n) => `${n}.ndjson${extension}`);
      for (const [i, name] of names.entries())
        await writeFile(path.join(folder, name), compress(Buffer.from(`{"id":${i}}\n{"id":${i + 10}}\n`)));
      const { out } = await merge(ndjson(compression), names);
      expect((await readTable(out)).map((row) => Number(row.id))).toEqual([0, 10, 1, 11, 2, 12]);
      const sizes = await Promise.all(
        names.map(async (name) => (await readFile(path.join(folder, name))).length),
      );
      expect((await readFile(out)).length).toBe(sizes.reduce((sum, size) => sum + size, 0));
    },
  );

  test('CSV: the header stands once, also a quoted one of two lines; parts with another one stay out', async () => {
    await mkdir(folder, { recursive: true });
    const texts = {
      'a.csv': 'id,"x\ny"\n1,"p\nq"\n',
      'b.csv': 'id,"x\ny"\n2,r\n',
      'c.csv': 'id,z\n3,s\n',
      'd.csv': 'id,"x\ny"\n',
    };
    for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text);
    const answer = await merge(csv('none', true), Object.keys(texts));
    expect(await readFile(answer.out, 'utf8')).toBe('id,"x\ny"\n1,"p\nq"\n2,r\n');
    expect(answer.merged.map((file) => path.basename(file))).toEqual(['a.csv', 'b.csv', 'd.csv']);
  });

  test('CSV, gzip: the header is cut out of the members', async () => {
    const big = Array.from({ length: 200_000 }, (_, i) => `${i},x\n`).join('');
    await writeFile(path.join(folder, 'a.csv.gz'), gzipSync(`id,c\n${big}`));
    await writeFile(path.join(folder, 'b.csv.gz'), Buffer.concat([gzipSync('id,c\n1'), gzipSync(',y\n')]));
    const { out } = await merge(csv('gzip', true), ['a.csv.gz', 'b.csv.gz']);
    expect(gunzipSync(await readFile(out)).toString()).toBe(`id,c\n${big}1,y\n`);
  });

  test('CSV without headers', async () => {
    await writeFile(path.join(folder, 'a.csv'), '1,a\n');
    await writeFile(path.join(folder, 'b.csv'), '2,b\n');
    const { out } = await merge(csv('none', false), ['a.csv', 'b.csv']);
    expect(await readFile(out, 'utf8')).toBe('1,a\n2,b\n');
  });
});
