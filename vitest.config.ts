import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 60_000 },
});

export default defineConfig({
  test: {
    // Vitest leaves one core free: of two, that is half. Most fault tests wait for the processes that they kill.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      project('unit', 20_000),
      project('contract', 20_000),
      project('integration', 120_000),
      project('fault', 600_000),
    ],
  },
});
