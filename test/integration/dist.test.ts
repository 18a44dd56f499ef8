/** What the built program is made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Source files of an entry point and of all that it loads without being asked. */
function sourcesOf(entry: string): string[] {
  const sources = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    // Files that only hand on have none.
    const map: { sources: string[] } = existsSync(`${file}.map`)
      ? JSON.parse(readFileSync(`${file}.map`, 'utf8'))
      : { sources: [] };
    for (const source of map.sources) sources.add(path.resolve(path.dirname(file), source));
    for (const [, chunk] of text.matchAll(/^(?:const \w+ = )?require\("(\.[^"]+)"\);$/gm))
      visit(path.resolve(path.dirname(file), chunk!));
  };
  visit(path.join(DIST, `${entry}.cjs`));
  return [...sources];
}

const COMMAND_LINE = /node_modules\/(?:zod|yaml|commander)\/|\/lib\/cli\/(?!io\.ts|threads\.ts)/;

test.each(['lib/index', 'lib/pipeline/subtask-thread', 'lib/compaction/merge-thread', 'rolling/index'])(
  '%s loads nothing of the command line',
  (entry) => {
    const sources = sourcesOf(entry);
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((source) => COMMAND_LINE.test(source))).toEqual([]);
  },
);

test('the program loads nothing of the engine before the first thread has been started', () => {
  const sources = sourcesOf('lib/cli/main');
  expect(sources.map((source) => path.basename(source))).toContain('subtask-host.ts');
  expect(sources.filter((source) => /\/(?:formats|bucketing|lib\/sink)\//.test(source))).toEqual([]);
});

test('no chunk that comes with compiled code imports what is outside of it', () => {
  const cached = new Set(
    readdirSync(path.join(DIST, 'lib/code-cache'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.cjs.bin'))
      .map((name) => path.basename(name, '.bin')),
  );
  const names = [...cached].map((name) => name.replace(/-.{8}\.cjs$/, ''));
  expect(names.sort()).toEqual(['buckets', 'cli', 'engine', 'job', 'subtask']);
  for (const chunk of cached) {
    const code = readFileSync(path.join(DIST, 'lib/chunks', chunk), 'utf8').replaceAll(
      /^\s*(?:\/?\*|\/\/).*$/gm,
      '',
    );
    expect(code.match(/.*\bimport\(.*/g) ?? [], chunk).toEqual([]);
    // Nor does it ask for more of `require` than a script with compiled code is given.
    expect(code.match(/.*\brequire\.(?:resolve|cache|main)\b.*/g) ?? [], chunk).toEqual([]);
  }
});

/** What a module of a user's prints that imports the built package. */
const printed = (code: string) =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: path.resolve(DIST, '..'),
    encoding: 'utf8',
  }).trim();

test.each(['lib', 'formats', 'bucketing', 'rolling'])('%s is one module, however it is loaded', (name) => {
  const [count, same, all] = printed(`
    import { createRequire } from 'node:module';
    const file = ${JSON.stringify(path.join(DIST, name, 'index'))};
    const imported = await import(file + '.js');
    const required = createRequire(file)(file + '.cjs');
    const names = Object.keys(imported);
    console.log(names.length, names.every((each) => imported[each] === required[each]), Object.keys(required).length);
  `).split(' ');
  expect(Number(count)).toBeGreaterThan(0);
  expect([same, all]).toEqual(['true', count]);
});

test("what toArrow gives is of the same copy of apache-arrow that a user's module imports", () => {
  const rows = printed(`
    import { Batch, FixedColumn } from ${JSON.stringify(path.join(DIST, 'lib/index.js'))};
    import { Table, tableFromIPC, tableToIPC } from 'apache-arrow';
    const column = new FixedColumn({ kind: 'int32' }, 1, 3);
    column.values.set([7, 8, 9]);
    column.length = 3;
    const batch = new Batch({ fields: [{ name: 'a', type: { kind: 'int32' }, nullable: false }] }, [column], 3);
    const written = tableToIPC(new Table([await batch.toArrow()]));
    console.log(JSON.stringify(tableFromIPC(written).toArray()));
  `);
  expect(JSON.parse(rows)).toEqual([{ a: 7 }, { a: 8 }, { a: 9 }]);
});
