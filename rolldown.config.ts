/**
 * The JavaScript of `dist`: entry points with what they need in a few chunks, pure JavaScript packages included. Loading
 * the 750 modules one by one took 0.6 s of CPU at each start (and the AWS SDK's, in each thread, 0.27 s instead of 0.15); functions imported from another module are also looked up
 * at each call, those of the same chunk are not. Declarations come from tsc (tsconfig.build.json).
 */
import { defineConfig } from 'rolldown';

const ENTRIES = [
  'lib/index',
  'lib/cli/main',
  'lib/pipeline/subtask-thread',
  'lib/compaction/merge-thread',
  'formats/index',
  'bucketing/index',
  'rolling/index',
];
/** Packages that stay outside: large ones that few jobs load, and those with files of their own. */
const EXTERNAL = [/^apache-arrow/, /^@bokuweb\//, /^chokidar/, /^parquetjs-lite/];

export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `${entry}.ts`])),
  platform: 'node',
  external: EXTERNAL,
  // Beside the entry points: lib/pipeline/subtask-host.ts finds its thread from there.
  output: { dir: 'dist', cleanDir: true, sourcemap: true, chunkFileNames: 'lib/chunks/[name]-[hash].js' },
});
