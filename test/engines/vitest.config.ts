import { defineConfig } from 'vitest/config';

/** `npm run test:engines`: apart from `npm test`, because it starts Trino, Presto and Hive. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
