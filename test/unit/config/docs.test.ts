// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how a job file refers to its environment
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { jsonSchema } from '../../../lib/config/json-schema.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import { renderErrorReference } from '../../../lib/config/reference/error-reference.ts';
import { EXAMPLES } from '../../../lib/config/reference/job-examples.ts';
import { renderJobReference } from '../../../lib/config/reference/job-reference.ts';
import { ERROR_KINDS } from '../../../lib/core/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const docs = new URL('../../../docs/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, docs), 'utf8');

describe('generated documentation is what the sources say (npm run docs)', () => {
  test('docs/job-file.md', () => {
    expect(read('job-file.md')).toBe(renderJobReference());
  });

  test('docs/errors.md', () => {
    expect(read('errors.md')).toBe(renderErrorReference());
  });

  test('docs/job.schema.json', () => {
    expect(JSON.parse(read('job.schema.json'))).toEqual(jsonSchema());
  });

  test('every code is in the list of errors', () => {
    const rows = read('errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d) \|/gm);
    expect(new Map([...rows].map(([, code, exit]) => [code, Number(exit)]))).toEqual(
      new Map(Object.entries(ERROR_KINDS).map(([code, { exit }]) => [code, exit])),
    );
  });

  test('every key has a meaning', () => {
    const rows = read('job-file.md').match(/^\| `[a-z_]+` \|.*$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(70);
    for (const row of rows) expect(row).toMatch(/\| [^|\s][^|]*(?:\\\|[^|]*)*\|$/);
  });

  test('links lead to headings', () => {
    const text = read('job-file.md');
    const anchors = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) =>
      (heading ?? '')
        .toLowerCase()
        .replace(/[^a-z0-9 _-]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(10);
    for (const link of links) expect(anchors).toContain(link);
    expect(new Set(anchors).size).toBe(anchors.length);
  });
});

describe('examples', () => {
  // What the manual prints, not what its source says.
  const printed = [...read('job-file.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml ?? '');

  test('all of them are printed', () => {
    expect(printed).toEqual(EXAMPLES.map(({ yaml }) => yaml));
  });

  test.each(printed)('reads: %#', async (yaml) => {
    const fileSystem = new MemoryFileSystem(new ManualClock());
    fileSystem.put('/jobs/job.yaml', yaml);
    await expect(
      readJob('/jobs/job.yaml', { fileSystem, environment: {}, parallelism: 2 }),
    ).resolves.toBeDefined();
  });

  test.each(printed)('fits the JSON Schema: %#', (yaml) => {
    expect(editorSchema().safeParse(parse(yaml)).error).toBeUndefined();
  });
});

describe('the JSON Schema', () => {
  const job = (more: object) => ({
    version: 1,
    job: 'x',
    source: { path: 'in', format: { type: 'ndjson' } },
    sink: { path: 'lake' },
    ...more,
  });

  test.each([
    job({ paralelism: 1 }),
    job({ parallelism: 0 }),
    job({ memory: '12Mb' }),
    job({ job: 'Not a name' }),
    job({ source: { path: 'in', format: { type: 'orc' } } }),
    job({ sink: {} }),
  ])('refuses what sluice refuses: %#', (wrong) => {
    expect(editorSchema().safeParse(wrong).success).toBe(false);
  });

  test('lets references to the environment pass, wherever they may stand', () => {
    const reference = '${ANY}';
    const filled = job({
      job: reference,
      parallelism: reference,
      memory: reference,
      checkpoint: { interval: reference, retain: reference },
      source: {
        path: 'in',
        recursive: reference,
        modified: reference,
        format: { type: 'ndjson', compression: reference },
      },
    });
    expect(editorSchema().safeParse(filled).error).toBeUndefined();
  });
});

/** A validator made from the schema file alone, as an editor has it. */
function editorSchema(): z.ZodType {
  return z.fromJSONSchema(JSON.parse(read('job.schema.json')));
}
