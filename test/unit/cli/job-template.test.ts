import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DataFolder } from '../../../lib/cli/init/data-folder.ts';
import type { FormatGuess } from '../../../lib/cli/init/guess-format.ts';
import { jobName, jobTemplate } from '../../../lib/cli/init/job-template.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import type { CompiledJob } from '../../../lib/core/compiled-job.ts';
import { parseDataType } from '../../../lib/core/data-type.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const PATHS = { file: 'job.yaml', data: './in', state: './state', lake: './lake' };

const FOLDER: DataFolder = {
  files: 3,
  bytes: 3000,
  more: false,
  extensions: ['.ndjson', '.ndjson.gz'],
  otherFiles: 1,
  format: { type: 'ndjson' },
  largestBytes: 2000,
  schema: { fields: [{ name: 'ts', type: parseDataType('timestamp'), nullable: true }] },
  rows: [],
};

/** Reads a template as `sluice check` would. */
function readBack(text: string, folders: readonly string[] = ['/jobs/in']): Promise<CompiledJob> {
  const fileSystem = new MemoryFileSystem(new ManualClock());
  for (const folder of folders) fileSystem.addFolder(folder);
  fileSystem.put('/jobs/job.yaml', text);
  return readJob('/jobs/job.yaml', { fileSystem, environment: {}, parallelism: 2 });
}

describe('a job file for a folder', () => {
  test('is commented, and valid', async () => {
    const text = jobTemplate('My Events!', PATHS, FOLDER);
    expect(text).toContain('# Reads 3 files (3.0 KB) of ndjson.');
    expect(text).toContain('# 1 file with other endings stay out');
    expect(await readBack(text)).toMatchObject({
      name: 'my-events',
      eventTime: { column: 'ts', unit: 'ms' },
      source: { paths: ['/jobs/in'], include: ['**/*.ndjson', '**/*.ndjson.gz'] },
      sink: { path: '/jobs/lake', bucket: { type: 'datetime', time: 'event' } },
    });
  });

  test.each<[string, FormatGuess]>([
    ['ndjson', { type: 'ndjson' }],
    ['csv', { type: 'csv', delimiter: '\t', header: true, columns: null }],
    ['csv', { type: 'csv', delimiter: '|', header: false, columns: ['column_1', 'column_2'] }],
    ['text', { type: 'text' }],
  ])('of %s', async (type, format) => {
    const job = await readBack(jobTemplate('x', PATHS, { ...FOLDER, format, schema: null }));
    expect(job.source.format).toMatchObject({ ...format, type });
    expect(job.sink.bucket).toMatchObject({ time: 'processing' });
  });

  test('in the folder itself: what it writes is not what it reads', async () => {
    const paths = { file: 'job.yaml', data: '.', state: './state', lake: './lake' };
    const named = await readBack(jobTemplate('x', paths, FOLDER), ['/jobs', '/jobs/lake', '/jobs/state']);
    expect(named.source.paths).toEqual(['/jobs']);
    const unnamed = await readBack(jobTemplate('x', paths, { ...FOLDER, extensions: [] }), ['/jobs']);
    expect(unnamed.source.exclude).toEqual(['lake/**', 'state/**']);
  });

  test('whatever columns and folders are called', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', minLength: 1 }).filter((name) => !name.includes('\0')),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        async (field, name) => {
          const schema = { fields: [{ name: field, type: parseDataType('timestamp'), nullable: true }] };
          const text = jobTemplate(name, { ...PATHS, data: `./${field}` }, { ...FOLDER, schema });
          expect((await readBack(text)).eventTime).toEqual({ column: field, unit: 'ms' });
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each(['2026', '1e3', '0', 'true', 'null', '.5', '.inf', '0x10'])(
    'a folder %s stays text',
    async (name) => {
      const job = await readBack(jobTemplate(name, { ...PATHS, data: name }, FOLDER), [`/jobs/${name}`]);
      expect(job.name).toBe(jobName(name));
      expect(job.source.paths).toEqual([`/jobs/${name}`]);
    },
  );

  test('names of jobs', () => {
    expect(['Web Events', '2026', '---', 'é', 'a'.repeat(99)].map(jobName)).toEqual([
      'web-events',
      '2026',
      'job',
      'job',
      'a'.repeat(40),
    ]);
  });
});
