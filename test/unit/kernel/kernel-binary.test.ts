import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { binaryText, binaryUrl, KERNEL_MODULES } from '../../../.ci/kernel.ts';

it.each(KERNEL_MODULES)(
  '$binary that ships is of the source that is here (npm run kernel)',
  async (module) => {
    expect(await binaryText(module)).toBe(readFileSync(binaryUrl(module), 'utf8'));
  },
  60_000,
);
