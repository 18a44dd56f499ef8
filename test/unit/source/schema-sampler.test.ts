import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { jsonInput } from '../../../formats/json/input.ts';
import type { InputFormat } from '../../../lib/core/decoder.ts';
import { selectRoots } from '../../../lib/source/file-selector.ts';
import { type SchemaSamplerOptions, sampleSchema } from '../../../lib/source/schema-sampler.ts';
import { LINE_SCHEMA, lineFormat } from './line-format.ts';
import { memory } from './reading.ts';

async function sample(fileSystem: ReturnType<typeof memory>, options: Partial<SchemaSamplerOptions> = {}) {
  const seen: string[] = [];
  const whole: boolean[] = [];
  const format: InputFormat = {
    ...lineFormat(),
    inferSchema(samples) {
      whole.push(...samples.map(({ isWhole }) => isWhole));
      seen.push(...samples.map(({ bytes }) => Buffer.from(bytes).toString()));
      return LINE_SCHEMA;
    },
  };
  const paths = { paths: ['/in', '/in/'], include: [], exclude: [], recursive: true };
  const roots = await selectRoots(paths, fileSystem, () => {});
  const sampled = await sampleSchema({ fileSystem, roots, format, compression: 'none', ...options });
  return sampled === null ? null : { ...sampled, seen, whole };
}

describe('sampling a schema', () => {
  it('looks at the oldest file, the newest and some between, and at their beginnings only', async () => {
    const fileSystem = memory();
    for (let i = 0; i < 100; i++) fileSystem.put(`/in/${99 - i}`, `file ${i} ${'x'.repeat(50)}`, BigInt(i));
    fileSystem.put('/in/empty', '', 1000n);
    const { files, seen, whole, schema } = (await sample(fileSystem, { maxFiles: 4, sampleBytes: 20 }))!;
    expect(files).toEqual(['/in/99', '/in/66', '/in/33', '/in/0']);
    expect(seen[0]).toBe('file 0 xxxxxxxxxxxxx');
    expect(schema).toBe(LINE_SCHEMA);
    expect(whole).toEqual([false, false, false, false]);
    expect((await sample(fileSystem, { maxFiles: 1, sampleBytes: 'file 99 '.length + 50 }))?.whole).toEqual([
      true,
    ]);
    expect(fileSystem.openSources).toBe(0);
    expect((await sample(fileSystem, { maxFiles: 1 }))?.files).toEqual(['/in/0']);
    expect((await sample(fileSystem, { maxFiles: 1000 }))?.files).toHaveLength(100);
  });

  it('passes over a file that vanishes', async () => {
    const fileSystem = memory();
    fileSystem.put('/in/a', 'a', 1n);
    fileSystem.put('/in/b', 'b', 2n);
    fileSystem.fail({ operation: 'open', path: '/in/a', action: () => fileSystem.files.delete('/in/a') });
    expect((await sample(fileSystem))?.files).toEqual(['/in/b']);
  });

  it('passes over a torn file, and says so where there is no other', async () => {
    const fileSystem = memory();
    fileSystem.put('/in/a.gz', gzipSync('all of it').subarray(0, 14), 1n);
    const torn = sample(fileSystem, { compression: 'auto' });
    await expect(torn).rejects.toMatchObject({ code: 'INPUT_CORRUPT' });
    fileSystem.put('/in/b', 'b', 2n);
    const both = await sample(fileSystem, { compression: 'auto' });
    expect(both).toMatchObject({ files: ['/in/b'], seen: ['b'] });
    expect(fileSystem.openSources).toBe(0);
  });

  it('passes over a file that is of no such format, and names it where there is no other', async () => {
    const fileSystem = memory();
    fileSystem.put('/in/a.json', '{"no": "array"}', 1n);
    const format = jsonInput({ type: 'json', compression: 'none' });
    const alone = sample(fileSystem, { format });
    await expect(alone).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
      message: expect.stringMatching(/^\/in\/a\.json: it does not begin with \[/),
    });
    fileSystem.put('/in/b.json', '[{"id":1}]', 2n);
    expect((await sample(fileSystem, { format }))?.files).toEqual(['/in/b.json']);
  });

  it('is null where there is nothing to look at', async () => {
    const fileSystem = memory();
    fileSystem.put('/in/empty', '');
    expect(await sample(fileSystem)).toBeNull();
  });
});
