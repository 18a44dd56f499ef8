/**
 * The JavaScript of `dist`: entry points with what they need in a few chunks, pure JavaScript packages included. Loading
 * the 750 modules one by one took 0.6 s of CPU at each start (and the AWS SDK's, in each thread, 0.27 s instead of 0.15);
 * functions imported from another module are also looked up at each call, those of the same chunk are not. Declarations
 * come from tsc (tsconfig.build.json).
 *
 * CommonJS, since only scripts can be given compiled code (lib/core/code-cache.ts); it also spares a start the loader of ES
 * modules, 0.02 s of CPU.
 */
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

const ENTRIES = [
  'lib/index',
  'lib/cli/main',
  'lib/pipeline/subtask-thread',
  'lib/compaction/merge-thread',
  'formats/index',
  'bucketing/index',
  'rolling/index',
];
/** A group: the named modules, and all that they import statically and no group before took. */
const group = (name: string, priority: number, ...modules: string[]) => ({
  name,
  priority,
  test: (id: string) => modules.some((module) => id.replaceAll('\\', '/').endsWith(`/${module}.ts`)),
});

/**
 * What a job needs to start, in few files: left alone, rolldown makes one of each set of modules that entry points
 * share, which were 90 for the main thread and 60 for a subtask's. Grouped, a backfill of an empty folder took 0.44 instead
 * of 0.56 s (medians of 21 in turns; 0.58 and 0.76 s of CPU). A group takes along what it imports, so those that
 * the library and the threads need stand before those of the command line, which they must not load.
 */
const GROUPS = [
  // The main thread has nothing else until the first subtask's thread has been started.
  group(
    'start',
    6,
    'lib/cli/io',
    'lib/cli/threads',
    'lib/pipeline/subtask-host',
    'lib/config/units',
    'lib/core/code-cache',
    'lib/core/import-module',
  ),
  group('buckets', 5, 'bucketing/index', 'rolling/index'),
  group('subtask', 4, 'lib/pipeline/subtask-start', 'lib/storage/open-file-system', 'formats/parquet/format'),
  group('engine', 3, 'lib/pipeline/job-runner', 'lib/compaction/merge-parts', 'lib/index'),
  group('cli', 2, 'lib/cli/run-cli'),
  group('job', 1, 'lib/cli/commands/run'),
];

/** Packages that stay outside: large ones that few jobs load, and those with files of their own. */
const EXTERNAL = [/^apache-arrow/, /^@bokuweb\//, /^chokidar/, /^parquetjs-lite/];

/** For who imports the package: an ES module that names what the entry point exports, beside it. */
const FACADES: Plugin = {
  name: 'facades',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk' || !chunk.isEntry || chunk.exports.length === 0) continue;
      const script = path.basename(chunk.fileName);
      const source = `export { ${chunk.exports.join(', ')} } from './${script}';\n`;
      this.emitFile({ type: 'asset', fileName: chunk.fileName.replace(/\.cjs$/, '.js'), source });
    }
  },
};

/**
 * Nothing but ASCII, so that lib/core/code-cache.ts has a string of a byte a character by copying: one character beyond
 * makes V8 decode the whole script, into two bytes a character. In what is left without comments, an escape stands for
 * any of them: strings, patterns and names. Columns of source maps are off behind it.
 */
const ASCII: Plugin = {
  name: 'ascii',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      const meant = /\\[^\0-\x7f]|String\.raw`[^`]*[^\0-\x7f]/.exec(chunk.code);
      if (meant !== null)
        throw new Error(`${chunk.fileName}: an escape would mean something else in ${meant[0]}`);
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, escapeUnit);
    }
  },
};

/** Of a character beyond U+FFFF, each half. */
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** npm makes a program executable when it links it, and this build replaces what was linked. */
const EXECUTABLE: Plugin = {
  name: 'executable',
  writeBundle({ dir = '.' }, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.type === 'chunk' && chunk.code.startsWith('#!'))
        chmodSync(path.join(dir, chunk.fileName), 0o755);
  },
};

export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `${entry}.ts`])),
  platform: 'node',
  external: EXTERNAL,
  plugins: [FACADES, ASCII, EXECUTABLE],
  // Beside the entry points: lib/pipeline/subtask-host.ts finds its thread from there.
  output: {
    dir: 'dist',
    cleanDir: true,
    sourcemap: true,
    format: 'cjs',
    strict: true,
    comments: { legal: true, jsdoc: false, annotation: false },
    entryFileNames: '[name].cjs',
    chunkFileNames: 'lib/chunks/[name]-[hash].cjs',
    codeSplitting: { groups: GROUPS },
  },
});
