import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitingFiles } from '../../../lib/source/waiting-files.ts';

it('G80: gives files back oldest first, of one age by path, exactly as they were', () => {
  const name = fc.stringMatching(/^[a-zé😀]{1,6}(\/[a-z]{1,3})?$/u);
  const arbitrary = fc.array(
    fc.record({
      name,
      root: fc.integer({ min: 0, max: 1 }),
      sizeBytes: fc.maxSafeNat(),
      modifiedNs: fc.oneof(
        fc.constantFrom(0n, -1n, 1_700_000_000_000_000_000n),
        fc.bigInt({ min: -(2n ** 60n), max: 2n ** 62n }),
      ),
    }),
  );
  const folders = ['/in', '/'];
  fc.assert(
    fc.property(arbitrary, (files) => {
      const waiting = new WaitingFiles(folders);
      const added = files.map(({ name: relative, ...rest }) => {
        const path = rest.root === 0 ? `/in/${relative}` : `/${relative}`;
        waiting.add({ path, ...rest }, rest.root);
        return { path, ...rest };
      });
      const popped: typeof added = [];
      for (let file = waiting.pop(); file !== null; file = waiting.pop()) popped.push({ ...file });
      const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
      added.sort((a, b) =>
        a.modifiedNs < b.modifiedNs ? -1 : a.modifiedNs > b.modifiedNs ? 1 : byBytes(a.path, b.path),
      );
      expect(
        popped.map(({ path, modifiedNs, sizeBytes }) => ({ path, modifiedNs, sizeBytes })).sort(same),
      ).toEqual(added.map(({ path, modifiedNs, sizeBytes }) => ({ path, modifiedNs, sizeBytes })).sort(same));
      expect(popped.map((file) => [file.modifiedNs, file.path])).toEqual(
        added.map((file) => [file.modifiedNs, file.path]),
      );
      expect(waiting.size).toBe(0);
    }),
  );
  function same(): number {
    return 0;
  }
});
