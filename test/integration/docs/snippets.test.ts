/** What the README and the manual show is run as it stands: job files, modules, programs, commands. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listLake } from '../../support/oracle/lake-files.ts';
import { ROOT } from '../../support/product-code.ts';
import { sluice, startSluice } from '../../support/program.ts';
import { until } from '../../support/until.ts';

let folder: string;
/** A folder as a user has it: input beside the job files, and sluice installed. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-docs-'));
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(ROOT, path.join(folder, 'node_modules/sluice'));
  await mkdir(path.join(folder, 'incoming'));
});
afterEach(() => rm(folder, { recursive: true }));

const ROWS = 1000;

/** Rows with the columns that the documents speak of. */
async function putIncoming(): Promise<void> {
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    ts: new Date(Date.UTC(2026, 10, 23) + i * 60_000).toISOString(),
    user: `user-${i % 7}`,
    country: i % 3 === 0 ? null : ['DE', 'FR'][i % 2],
    amount: i / 4,
  }));
  await writeFile(
    path.join(folder, 'incoming/rows.ndjson'),
    rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
}

interface Snippet {
  readonly language: string;
  readonly text: string;
}

async function snippetsOf(document: string): Promise<readonly Snippet[]> {
  const text = await readFile(path.join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, body]) => ({
    language: language!,
    text: body!,
  }));
}

/** Job files by the name of their job. */
function jobsIn(snippets: readonly Snippet[]): ReadonlyMap<string, string> {
  return new Map(
    snippets
      .filter(({ language, text }) => language === 'yaml' && text.startsWith('version:'))
      .map(({ text }) => [/^job: (\S+)/m.exec(text)![1]!, text]),
  );
}

/** Modules by the file name that their first line gives. */
function modulesIn(snippets: readonly Snippet[]): ReadonlyMap<string, string> {
  return new Map(
    snippets.flatMap(({ language, text }) => {
      const name = language === 'js' ? /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1] : undefined;
      return name === undefined ? [] : [[name, text] as const];
    }),
  );
}

const write = (name: string, text: string) => writeFile(path.join(folder, name), text);

/** Runs node in the folder, with the module given to it. */
function node(module: string): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [module], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('close', (code) => resolve({ code, stderr }));
  });
}

async function partsOf(lake: string): Promise<readonly string[]> {
  return (await listLake(path.join(folder, lake))).visible;
}

describe.each(['docs/buckets.md', 'docs/rolling.md', 'docs/formats.md', 'docs/tables.md', 'docs/lineage.md'])(
  '%s',
  (document) => {
    it('shows jobs and programs that run', async () => {
      const snippets = await snippetsOf(document);
      const jobs = jobsIn(snippets);
      const modules = modulesIn(snippets);
      expect(jobs.size + modules.size).toBeGreaterThan(0);
      await putIncoming();
      for (const [name, text] of modules) await write(name, text);
      for (const [name, text] of jobs) {
        await write(`${name}.yaml`, text);
        const { code, stderr, stdout } = await sluice(['backfill', '--json', `${name}.yaml`], {
          cwd: folder,
        });
        expect(code, `${name}: ${stderr}`).toBe(0);
        expect(JSON.parse(stdout), name).toMatchObject({ rows: ROWS, rejected: 0 });
        expect((await partsOf(`lake/${name}`)).length, name).toBeGreaterThan(0);
      }
      for (const [name, text] of modules) {
        if (!text.includes("from 'sluice'")) continue;
        const { code, stderr } = await node(name);
        expect(code, `${name}: ${stderr}`).toBe(0);
      }
    });

    it('says what comes out', async () => {
      if (document !== 'docs/buckets.md') return;
      const jobs = jobsIn(await snippetsOf(document));
      await putIncoming();
      await write('job.yaml', jobs.get('by-country')!);
      expect((await sluice(['backfill', 'job.yaml'], { cwd: folder })).code).toBe(0);
      const buckets = new Set((await partsOf('lake/by-country')).map((part) => path.dirname(part)));
      expect(buckets).toContain('country=DE/dt=2026-11-23');
      expect(buckets).toContain('country=__HIVE_DEFAULT_PARTITION__/dt=2026-11-23');
    });
  },
);

describe('docs/transforms.md', () => {
  it('shows jobs that write what they say', async () => {
    const snippets = await snippetsOf('docs/transforms.md');
    const jobs = jobsIn(snippets);
    expect([...jobs.keys()]).toEqual(['clean', 'once', 'masked', 'copied']);
    for (const [name, text] of modulesIn(snippets)) await write(name, text);
    await putIncoming();
    // Of the 1,000 rows, by putIncoming: two of three have a country, and amount is a quarter of the row's number.
    const numbers = Array.from({ length: ROWS }, (_, i) => i);
    const wanted = new Map([
      ['clean', numbers.filter((i) => i % 3 !== 0 && i / 4 >= 10.5).length],
      // 7 users in 2 countries; rows without a country all stay.
      ['once', numbers.filter((i) => i % 3 === 0).length + 14],
      ['masked', numbers.filter((i) => i / 4 >= 10).length],
      ['copied', numbers.filter((i) => i % 3 !== 0).length],
    ]);
    for (const [name, text] of jobs) {
      await write(`${name}.yaml`, text);
      const { code, stderr, stdout } = await sluice(['backfill', '--json', `${name}.yaml`], { cwd: folder });
      expect(code, `${name}: ${stderr}`).toBe(0);
      const rows = wanted.get(name)!;
      expect(JSON.parse(stdout), name).toMatchObject({ rows, filtered: ROWS - rows });
    }
    expect((await partsOf('lake/clean')).every((part) => part.startsWith('site=berlin/country='))).toBe(true);
  });
});

describe('README.md', () => {
  it('backfill: init, check, backfill, and again', async () => {
    const jobs = jobsIn(await snippetsOf('README.md'));
    await write('incoming/orders.csv', 'id,country,total\n1,DE,9.50\n2,FR,1.25\n3,,\n');
    const run = (...args: string[]) => sluice(args, { cwd: folder });
    const made = await run('init', './incoming', '-o', 'made.yaml');
    expect(made.code, made.stderr).toBe(0);
    expect((await run('check', 'made.yaml')).code).toBe(0);
    await write('orders.yaml', jobs.get('orders')!);
    expect((await run('check', 'orders.yaml')).stdout).toContain('total');
    expect(JSON.parse((await run('backfill', '--json', 'orders.yaml')).stdout)).toMatchObject({
      rows: 3,
      parts: 1,
    });
    expect(JSON.parse((await run('backfill', '--json', 'orders.yaml')).stdout)).toMatchObject({
      rows: 0,
      parts: 0,
    });
    expect(await partsOf('lake/orders')).toHaveLength(1);
  });

  it('daemon: run, status, kill -9, run again, SIGTERM', async () => {
    const jobs = jobsIn(await snippetsOf('README.md'));
    // As it stands, but quick: a test cannot wait for minutes.
    const quick = jobs
      .get('web-events')!
      .replace('interval: 10s }', 'interval: 100ms }')
      .replace('monitor_interval: 10s', 'monitor_interval: 100ms')
      .replaceAll('_interval: 60s', '_interval: 500ms');
    await write('web-events.yaml', quick);
    await putIncoming();
    const first = startSluice(['run', 'web-events.yaml'], { cwd: folder });
    await until('the first parts', async () => (await partsOf('lake/events')).length > 0);
    const status = await sluice(['status', 'web-events.yaml'], { cwd: folder });
    expect(status.code, status.stderr).toBe(0);
    expect(status.stderr).toContain(`running: process ${first.child.pid}`);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = startSluice(['run', 'web-events.yaml', '--json'], { cwd: folder });
    await until('it goes on', () => second.stdout().includes('"recovered"'));
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect(
      (await partsOf('lake/events')).every((part) => /^dt=2026-11-23\/hour=\d\d\/part-/.test(part)),
    ).toBe(true);
  });

  it('from code', async () => {
    const snippets = await snippetsOf('README.md');
    const programs = snippets.filter(
      ({ language, text }) => language === 'ts' && text.includes("from 'sluice'"),
    );
    expect(programs.length).toBeGreaterThan(0);
    for (const [at, { text }] of programs.entries()) {
      await write(`${at}.mjs`, text);
      const { code, stderr } = await node(`${at}.mjs`);
      expect(code, stderr).toBe(0);
    }
    const [part, ...others] = await partsOf('lake');
    expect(others).toEqual([]);
    expect(await readFile(path.join(folder, 'lake', part!), 'utf8')).toBe('hello\n');
  });
});

describe('links', () => {
  it('between documents lead to files and headings that are there', async () => {
    const docs = (await readdir(path.join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
    const broken: string[] = [];
    for (const document of ['README.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)]) {
      const text = await readFile(path.join(ROOT, document), 'utf8');
      for (const [, target] of text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        const [file = '', heading] = target!.split('#');
        const at = file === '' ? document : path.join(path.dirname(document), file);
        const found = await readFile(path.join(ROOT, at), 'utf8').catch(() => null);
        if (found === null) broken.push(`${document}: ${target}`);
        else if (heading !== undefined && !headingsOf(found).has(heading))
          broken.push(`${document}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes them. */
function headingsOf(markdown: string): ReadonlySet<string> {
  return new Set(
    [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
      text!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
