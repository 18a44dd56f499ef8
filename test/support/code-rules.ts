/** Rules that are a pattern the product's code must not have. Each carries a line that breaks it, so that it is known to work. */
import type { SourceFile } from './product-code.ts';

export interface CodeRule {
  readonly name: string;
  readonly pattern: RegExp;
  /** Looks at comments too. */
  readonly inComments?: boolean;
  /** Where it is allowed: a folder or file, and why. */
  readonly except: Readonly<Record<string, string>>;
  /** Must be found. */
  readonly breaks: readonly string[];
  /** Must not be found. */
  readonly keeps: readonly string[];
}

export const CODE_RULES: readonly CodeRule[] = [
  {
    name: 'files are touched by lib/storage alone',
    pattern: /'(?:node:)?fs(?:\/promises)?'/,
    except: {
      'lib/storage/': 'the one place for it',
      'lib/core/code-cache.ts': 'loads code, as the loader of Node does that it stands in for',
    },
    breaks: ["import { open } from 'node:fs/promises';", "const fs = await import('node:fs');"],
    keeps: ["import { LocalFileSystem } from './fs.ts';"],
  },
  {
    name: 'the command line, the environment and exits are the affair of lib/cli alone',
    pattern: /\bprocess\s*\.\s*(?:argv|env|exit|exitCode|stdin|stdout|stderr)\b|\bconsole\s*\./,
    except: {
      'lib/cli/': 'the one place for it',
      'lib/core/code-cache.ts': 'what the build tells every thread, before anything of ours has been loaded',
      'lib/storage/sdk-notice.ts': 'the only way to keep a notice of the AWS SDK out of logs',
    },
    breaks: ['process.exit(1);', "if (process.env.DEBUG === '1') {", "console.log('x');"],
    keeps: ["process.kill(process.pid, 'SIGKILL');"],
  },
  {
    name: 'time comes from a Clock',
    pattern:
      /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bperformance\s*\.\s*now\b|\bhrtime\b|(?<![.\w])set(?:Timeout|Interval|Immediate)\s*\(|timers\/promises/,
    except: {
      'lib/core/clock.ts': 'the one place for it',
      'lib/pipeline/subtask-host.ts': 'not time: a message arrives in a turn of its own, as from a thread',
    },
    breaks: ['const at = Date.now();', 'new Date()', 'setTimeout(done, 10);', 'performance.now() - t'],
    keeps: ['socket.setTimeout(5000, close);', 'new Date(clock.now())', 'clearTimeout(timer);'],
  },
  {
    name: 'randomness comes from Ids',
    pattern: /\bMath\s*\.\s*random\b|\brandom(?:Bytes|UUID|Int|FillSync|Fill)\b|\bgetRandomValues\b/,
    except: {
      'lib/core/ids.ts': 'the one place for it',
      'lib/core/hash-seed.ts': 'against prepared input; nothing that is written depends on it',
    },
    breaks: ['Math.random()', "import { randomUUID } from 'node:crypto';"],
    keeps: ['ids.hex(8)'],
  },
  {
    name: 'what is outside of the bundle is imported by importModule',
    // EXTERNAL of rolldown.config.ts, and what is known only when it runs.
    pattern: /(?<!typeof )\bimport\(\s*(?:['"](?:apache-arrow|@bokuweb|chokidar|parquetjs-lite)|(?!['"]))/,
    except: { 'lib/core/import-module.ts': 'the one place for it' },
    breaks: ["const { watch } = await import('chokidar');", 'import(pathToFileURL(file).href)'],
    keeps: [
      "const { runCli } = await import('./run-cli.ts');",
      "const { decompress } = await import('fzstd');",
      "(await importModule('chokidar')) as typeof import('chokidar')",
    ],
  },
  {
    name: 'types are never switched off',
    pattern: /\bas any\b|:\s*any\b(?!\s*\()|<any\b|\bany\[\]|\bas unknown as\b|\bas never\b/,
    except: {
      'formats/parquet/parquetjs-engine.ts':
        'parquetjs-lite asks for fields that its own writer does not use',
    },
    breaks: [
      'const x: any = 1;',
      'JSON.parse(text) as any',
      'value as unknown as Row',
      'new Map<any, string>()',
    ],
    keeps: ["policy: 'any-of'", 'if (rows.some(any)) {'],
  },
  {
    name: 'the compiler is never told to look away',
    pattern: /@ts-(?:ignore|nocheck|expect-error)/,
    inComments: true,
    except: {},
    breaks: ['// @ts-ignore', '/* @ts-expect-error: later */'],
    keeps: ['// what ts ignores'],
  },
  {
    name: 'nothing is left for later',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b|not (?:yet )?implemented/i,
    inComments: true,
    except: {},
    breaks: ['// TODO: retry', "throw new Error('not implemented');"],
    keeps: ['// the method does it'],
  },
  {
    name: 'exports are named, one by one',
    pattern: /\bexport\s+default\b|\bexport\s*\*/,
    except: {},
    breaks: ['export default class {', "export * from './a.ts';"],
    keeps: ["export { a } from './a.ts';"],
  },
  {
    name: 'imports name the file: relative ones end in .ts',
    pattern: /(?:\bfrom|\bimport\(?)\s*'\.{1,2}\/[^']*(?<!\.ts)'/,
    except: {},
    breaks: ["import { a } from './a';", "await import('../b.js')"],
    keeps: ["import { a } from '../a.ts';"],
  },
  {
    name: 'names say what a thing is',
    pattern:
      /\b(?:class|interface|type)\s+(?:\w+(?:Manager|Helper|Helpers|Utils?|Impl)\b|I[A-Z][a-z]\w*\b(?<!\bI(?:nput|nt|d|o|n|s|so)\w*))/,
    except: {},
    breaks: ['class BucketManager {', 'interface IWriter {', 'export class WriterImpl extends'],
    keeps: ['interface InputFile {', 'class Ids {'],
  },
];

/** `path:line: text` of each place that breaks a rule. */
export function breaches(rule: CodeRule, files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    if (Object.keys(rule.except).some((allowed) => file.path.startsWith(allowed))) return [];
    const searched = rule.inComments === true ? file.text : file.code;
    return searched.split('\n').flatMap((line, at) => {
      return rule.pattern.test(line) ? `${file.path}:${at + 1}: ${line.trim()}` : [];
    });
  });
}

/** Exceptions that nothing needs any more. */
export function staleExceptions(rule: CodeRule, files: readonly SourceFile[]): readonly string[] {
  return Object.keys(rule.except).filter((allowed) => {
    const inside = files.filter(({ path }) => path.startsWith(allowed));
    return breaches({ ...rule, except: {} }, inside).length === 0;
  });
}
