import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitingFiles } from '../../../lib/source/waiting-files.ts';

it('G80: gives files back oldest first, of one age by path, exactly as they were', () => {
  // \uff01 stands before \u{1f600} in UTF-8, and behind it in UTF-16.
  const name = fc.oneof(
    fc.stringMatching(/^[a-zé\uff01\u{1f600}]{1,6}(\/[a-z]{1,3})?$/u),
    fc.stringMatching(/^in\/[a\uff01\u{1f600}]{1,2}$/u),
  );
  const folders = ['/in', '/'];
  const pathOf = (each: { readonly name: string; readonly root: number }) =>
    each.root === 0 ? `/in/${each.name}` : `/${each.name}`;
  // A listing has a path once.
  const arbitrary = fc.uniqueArray(
    fc.record({
      name,
      root: fc.integer({ min: 0, max: 1 }),
      sizeBytes: fc.maxSafeNat(),
      modifiedNs: fc.oneof(
        fc.constantFrom(0n, -1n, 1_700_000_000_000_000_000n),
        fc.bigInt({ min: -(2n ** 60n), max: 2n ** 62n }),
      ),
    }),
    { selector: pathOf },
  );
  fc.assert(
    fc.property(arbitrary, (files) => {
      const waiting = new WaitingFiles(folders);
      const added = files.map(({ name: relative, ...rest }) => {
        const path = pathOf({ name: relative, root: rest.root });
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
