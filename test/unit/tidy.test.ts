/** Rules of the repository that no compiler and no linter holds: layers, names, documents that say what the code does. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../lib/config/json-schema.ts';
import { readJob } from '../../lib/config/read-job.ts';
import { systemClock } from '../../lib/core/clock.ts';
import { ERROR_KINDS } from '../../lib/core/errors.ts';
import { coverageProblems, findCoverage, renderAcceptance } from '../support/acceptance.ts';
import { breaches, CODE_RULES, staleExceptions } from '../support/code-rules.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import {
  exportedValues,
  importedFile,
  importsOf,
  layerOf,
  packageOf,
  productFiles,
  ROOT,
  readText,
  type SourceFile,
  sourceFile,
  sourceFiles,
  takenFrom,
} from '../support/product-code.ts';

const files = productFiles();

describe('layers', () => {
  /** What each part of the tree may import besides itself: the data flow, one way. */
  const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    'lib/core': [],
    formats: ['lib/core'],
    bucketing: ['lib/core'],
    rolling: ['lib/core'],
    'lib/storage': ['lib/core'],
    'lib/source': ['lib/core', 'lib/storage', 'formats'],
    'lib/config': ['lib/core', 'lib/storage', 'lib/source', 'lib/transform'],
    'lib/transform': ['lib/core', 'formats'],
    'lib/sink': ['lib/core', 'lib/storage'],
    'lib/commit': ['lib/core', 'lib/storage', 'lib/source', 'lib/sink'],
    'lib/tables': ['lib/core', 'lib/storage', 'lib/source', 'lib/commit', 'formats', 'bucketing'],
    'lib/compaction': [
      'lib/core',
      'lib/storage',
      'lib/source',
      'lib/sink',
      'lib/commit',
      'lib/tables',
      'formats',
    ],
    'lib/pipeline': [
      'lib/core',
      'lib/storage',
      'lib/source',
      'lib/sink',
      'lib/commit',
      'lib/tables',
      'lib/compaction',
      'lib/transform',
      'formats',
      'bucketing',
      'rolling',
    ],
    'lib/verify': [
      'lib/core',
      'lib/storage',
      'lib/source',
      'lib/sink',
      'lib/commit',
      'lib/pipeline',
      'lib/transform',
      'formats',
      'bucketing',
    ],
    lib: ['lib/core', 'lib/storage', 'lib/commit', 'lib/pipeline'],
    'lib/cli': [
      'lib/core',
      'lib/storage',
      'lib/config',
      'lib/source',
      'lib/commit',
      'lib/compaction',
      'lib/pipeline',
      'lib/verify',
      'lib/transform',
      'formats',
      'bucketing',
      'rolling',
    ],
  };

  const edges = files.flatMap((file) =>
    importsOf(file).flatMap((specifier) => {
      const target = importedFile(file, specifier);
      return target === null ? [] : [{ file: file.path, target }];
    }),
  );

  it('are imported one way', () => {
    const wrong = edges.filter(({ file, target }) => {
      const [from, to] = [layerOf(file), layerOf(target)];
      return from !== to && ALLOWED[from]?.includes(to) !== true;
    });
    expect(wrong).toEqual([]);
    expect(edges.length).toBeGreaterThan(300);
  });

  it('have no allowance that nothing needs', () => {
    const needed = new Set(edges.map(({ file, target }) => `${layerOf(file)} -> ${layerOf(target)}`));
    const allowed = Object.entries(ALLOWED).flatMap(([from, to]) => to.map((layer) => `${from} -> ${layer}`));
    expect(allowed.filter((edge) => !needed.has(edge))).toEqual([]);
  });

  it('only name files that are there', () => {
    expect(edges.filter(({ target }) => !existsSync(path.join(ROOT, target)))).toEqual([]);
  });

  it('are all known', () => {
    expect([...new Set(files.map((file) => layerOf(file.path)))].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('are read from every form of import', () => {
    const file = sourceFile(
      'lib/sink/a.ts',
      "import type { A } from '../core/a.ts';\nexport { b } from './b.ts';\nimport 'c';\nconst d = await import('@d/e/f');\n// import './no.ts';\n",
    );
    expect(importsOf(file)).toEqual(['../core/a.ts', './b.ts', 'c', '@d/e/f']);
    expect(importedFile(file, '../core/a.ts')).toBe('lib/core/a.ts');
    expect([packageOf('@d/e/f'), packageOf('c/d'), packageOf('node:fs')]).toEqual(['@d/e', 'c', null]);
  });
});

describe('product code', () => {
  it('has comments that the rules can tell from code', () => {
    const { code } = sourceFile('a.ts', "a('// no'); // yes\n/* yes\n*/ b(`//c`, /['\"/*]/); // yes");
    expect(code.trim()).toBe("a('// no');       \n      \n   b(`//c`, /['\"/*]/);");
  });

  describe.each(CODE_RULES)('$name', (rule) => {
    it('holds', () => expect(breaches(rule, files)).toEqual([]));

    it('has no exception that nothing needs', () => expect(staleExceptions(rule, files)).toEqual([]));

    it('is a rule that can be broken', () => {
      const planted = (line: string) => breaches(rule, [sourceFile('lib/sink/planted.ts', line)]);
      for (const line of rule.breaks) expect(planted(line), line).toHaveLength(1);
      for (const line of rule.keeps) expect(planted(line), line).toEqual([]);
    });
  });

  it('exports no value that nothing imports', () => {
    const folders = ['lib', 'formats', 'bucketing', 'rolling', 'test', 'docs', '.ci'];
    // AssemblyScript leaves the ending out.
    const taken = new Set(
      folders
        .flatMap(sourceFiles)
        .flatMap(takenFrom)
        .map((name) => name.replace('/layout ', '/layout.ts ')),
    );
    const unused = (file: SourceFile) =>
      exportedValues(file).filter(
        (name) => !taken.has(`${file.path} ${name}`) && !taken.has(`${file.path} *`),
      );
    expect(files.flatMap((file) => unused(file).map((name) => `${file.path}: ${name}`))).toEqual([]);
    expect(unused(sourceFile('lib/sink/planted.ts', 'export const planted = 1;'))).toEqual(['planted']);
  });

  it('has files of at most 400 lines', () => {
    const MOST_LINES = 400;
    const allowed: Readonly<Record<string, string>> = {
      'lib/core/column.ts': 'one small class for each of six layouts, which append to each other',
    };
    const long = files
      .filter(({ text }) => text.split('\n').length - 1 > MOST_LINES)
      .map((file) => file.path);
    expect(long.filter((file) => !Object.hasOwn(allowed, file))).toEqual([]);
    expect(Object.keys(allowed).filter((file) => !long.includes(file))).toEqual([]);
  });
});

describe('errors', () => {
  const codes = Object.keys(ERROR_KINDS);

  it('are documented, each code and no other', () => {
    const documented = [...readText('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(documented.sort()).toEqual(codes.toSorted());
  });

  it('are raised somewhere, each code', () => {
    const others = files.filter(({ path }) => path !== 'lib/core/errors.ts').map(({ code }) => code);
    const isRaised = (code: string) => others.some((text) => text.includes(`'${code}'`));
    // SluiceError.from gives this one to whatever has none.
    expect(codes.filter((code) => code !== 'INTERNAL' && !isRaised(code))).toEqual([]);
  });
});

describe('the job file', () => {
  it('has every key in the manual', () => {
    const keys = keysOf(jsonSchema());
    expect(keys.size).toBeGreaterThan(40);
    const manual = readText('docs/job-file.md');
    // A key of a form in braces, such as {move: path}, is told in the form's own line.
    const isTold = (key: string) =>
      manual.includes(`\`${key}\` |`) ||
      [...manual.matchAll(/\{[^{}]*\}/g)].some(([form]) => form.includes(`${key}: `));
    expect([...keys].filter((key) => !isTold(key))).toEqual([]);
  });

  it('is what the examples in the README and the manual are', async () => {
    const examples = ['README.md', ...markdownFiles('docs')].flatMap((file) =>
      codeBlocks(readText(file), 'yaml')
        .filter((text) => /^version:/m.test(text))
        .map((text) => ({ file, text })),
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const { file, text } of examples) {
      const fileSystem = new MemoryFileSystem(systemClock);
      fileSystem.put('/job/job.yaml', text);
      const job = readJob('/job/job.yaml', { fileSystem, environment: {}, parallelism: 2 });
      await expect(job, `${file}:\n${text}`).resolves.toBeDefined();
    }
  });
});

describe('failpoints', () => {
  const inCode = files.flatMap(({ code }) =>
    [...code.matchAll(/\bfailpoint\('([^']+)'\)/g)].map((m) => m[1]!),
  );

  it('have names of their own', () => {
    expect(inCode.length).toBeGreaterThan(10);
    expect(inCode.filter((name, at) => inCode.indexOf(name) !== at)).toEqual([]);
  });

  it('are fired by a test, each of them and no other', () => {
    const tests = sourceFiles('test/fault').map(({ code }) => code);
    expect(inCode.filter((name) => !tests.some((text) => text.includes(`'${name}'`)))).toEqual([]);
    const lists = ['failpoints', 'object-store-failpoints'].map(
      (test) => /const FAILPOINTS = \[([^\]]*)\]/.exec(readText(`test/fault/${test}.test.ts`))?.[1] ?? '',
    );
    const listed = [...lists.join().matchAll(/'([^']+)'/g)].map((match) => match[1]);
    expect(listed.sort()).toEqual(inCode.toSorted());
  });
});

describe('package.json', () => {
  const manifest: {
    exports: Record<string, string | { types: string; require: string; default: string }>;
    bin: Record<string, string>;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  } = JSON.parse(readText('package.json'));

  it('exports what the build makes: npm run build comes first', async () => {
    for (const [name, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      for (const file of [target.types, target.require])
        expect(existsSync(path.join(ROOT, file)), file).toBe(true);
      const module: object = await import(path.join(ROOT, target.default));
      expect(Object.keys(module).length, name).toBeGreaterThan(0);
    }
    for (const file of Object.values(manifest.bin))
      expect(existsSync(path.join(ROOT, file)), file).toBe(true);
    // Vitest goes over whole bundles before it loads them: 13 s on a machine with other work.
  }, 60_000);

  it('depends on what product code imports, no more and no less', () => {
    const imported = new Set(files.flatMap(importsOf).flatMap((specifier) => packageOf(specifier) ?? []));
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual([...imported].sort());
  });

  it('has a reason for each dependency', () => {
    const reasons = readText('docs/dependencies.md');
    const named = [...reasons.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    );
    const all = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(named.sort()).toEqual(all.sort());
  });
});

describe('acceptance cases', () => {
  const coverage = findCoverage();

  it('each have a test or a reason', () => {
    expect(coverageProblems(coverage)).toEqual([]);
  });

  it('are listed as they are: npx tsx test/support/acceptance.ts', () => {
    expect(readText('docs/acceptance.md')).toBe(renderAcceptance(coverage));
  });

  it('would be missed without test or reason', () => {
    const without = new Map([...coverage, ['Z1', ['a.test.ts']] as const].filter(([id]) => id !== 'A3'));
    const problems = coverageProblems(without).join('\n');
    expect(problems).toContain('A3 has no test');
    expect(problems).toContain('there is no case Z1');
    expect(coverageProblems(new Map([...coverage, ['J112', ['a.test.ts']]])).join()).toContain(
      'J112 has a test and a reason',
    );
  });
});

/** Names of all keys in a JSON Schema, at any depth. */
function keysOf(schema: unknown, into = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return into;
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties') for (const key of Object.keys(value)) into.add(key);
    keysOf(value, into);
  }
  return into;
}

function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...blocks].map((match) => match[1]!);
}

function markdownFiles(folder: string): string[] {
  return ['job-file.md', 'formats.md', 'buckets.md', 'rolling.md', 'checkpoints.md']
    .map((name) => `${folder}/${name}`)
    .filter((file) => existsSync(path.join(ROOT, file)));
}
