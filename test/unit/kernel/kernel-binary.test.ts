import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelBinary } from '../../../.ci/kernel.ts';

it('the kernel that ships is the one whose source is here (npm run kernel)', async () => {
  const kept = readFileSync(new URL('../../../formats/kernel/kernel-binary.ts', import.meta.url), 'utf8');
  expect(await kernelBinary()).toBe(kept);
}, 60_000);
