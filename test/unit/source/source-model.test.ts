/**
 * The source against a model of a dozen lines, driven by the same random steps: whatever happens to the files, whatever
 * fails and whenever the process dies, what was read is what the policy says, each line once. `modified: append` has a
 * model of its own: append-model.test.ts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModifiedPolicy } from '../../../lib/source/modification.ts';
import { type Saved, SourceHarness } from './source-harness.ts';

const PATHS = ['/in/a', '/in/b', '/in/sub/c', '/in/sub/d'];
const path = fc.constantFrom(...PATHS);
const lines = fc
  .array(fc.stringMatching(/^[a-z]{0,4}$/), { maxLength: 4 })
  .map((all) => all.map((line) => `${line}\n`).join(''));
const text = fc.tuple(lines, fc.constantFrom('', '', 'end')).map(([whole, rest]) => whole + rest);

type Step =
  | { readonly type: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly type: 'truncate'; readonly path: string; readonly by: number }
  | { readonly type: 'delete' | 'touch'; readonly path: string }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  | { readonly type: 'scan'; readonly failures: number; readonly skip: number }
  | { readonly type: 'broken-scan' | 'mount' | 'unmount' | 'checkpoint' | 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('write' as const), path, text }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('append' as const), path, text }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('truncate' as const),
      path,
      by: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), path }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('touch' as const), path }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rename' as const), path, to: path }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('scan' as const),
      failures: fc.constantFrom(0, 0, 1, 2),
      skip: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('broken-scan' as const, 'mount' as const, 'unmount' as const)
      .map((type) => ({ type })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('checkpoint' as const, 'crash' as const).map((type) => ({ type })),
  },
);

interface KnownToModel {
  readonly size: number;
  readonly modifiedNs: bigint;
}

/** The policies, said as simply as possible. */
class Model {
  known = new Map<string, KnownToModel>();
  lines: string[] = [];
  ignored = 0;
  readonly #policy: ModifiedPolicy;

  constructor(policy: ModifiedPolicy) {
    this.#policy = policy;
  }

  /** A complete scan, and everything read that it found. */
  scan(
    files: ReadonlyMap<string, { readonly text: string; readonly modifiedNs: bigint }>,
    mounted: boolean,
  ): void {
    if (!mounted) return;
    for (const known of this.known.keys()) if (!files.has(known)) this.known.delete(known);
    for (const [name, { text: content, modifiedNs }] of files) {
      const size = content.length;
      const before = this.known.get(name);
      if (before !== undefined && before.size === size && before.modifiedNs === modifiedNs) continue;
      if (before === undefined || this.#policy === 'reread') {
        this.#read(content);
      } else this.ignored++;
      this.known.set(name, { size, modifiedNs });
    }
  }

  #read(content: string): void {
    const all = content.split('\n');
    if (all.at(-1) === '') all.pop();
    this.lines.push(...all);
  }
}

/** @param looksPerScan so few that most known files are told by their names, or undefined */
async function run(policy: ModifiedPolicy, steps: readonly Step[], looksPerScan?: number): Promise<void> {
  const source = new SourceHarness(
    { modified: policy, splitSizeBytes: 5, looksPerScan },
    { batchRows: 2, chunkBytes: 3 },
  );
  const { fileSystem } = source;
  const model = new Model(policy);
  let mounted = true;
  let disk: ReturnType<typeof fileSystem.replaceFolder> | null = null;
  let tick = 1n;
  let ignoredBefore = 0;
  let saved: Saved | null = null;
  let modelSaved: { known: Map<string, KnownToModel>; lines: string[] } = { known: new Map(), lines: [] };

  const truth = () =>
    new Map(
      [...fileSystem.files].map(([name, file]) => [
        name,
        { text: fileSystem.text(name)!, modifiedNs: file.modifiedNs },
      ]),
    );
  const read = async () => {
    await source.drain();
    model.scan(truth(), mounted);
    expect([...source.lines].sort()).toEqual([...model.lines].sort());
    expect(source.enumerator.counters).toMatchObject({ known: model.known.size, open: 0 });
    const ignored = ignoredBefore + source.enumerator.counters.ignored;
    // What is looked at in turns may have changed twice, or be gone, before its turn.
    if (looksPerScan === undefined) expect(ignored).toBe(model.ignored);
    else expect(ignored).toBeLessThanOrEqual(model.ignored);
  };
  const restart = async () => {
    await source.kill();
    fileSystem.clearFaults();
    model.known = new Map(modelSaved.known);
    model.lines = [...modelSaved.lines];
    model.ignored = 0;
    ignoredBefore = 0;
    await source.start(saved);
    await read();
  };

  await source.start();
  await read();
  for (const next of steps) {
    tick++;
    switch (next.type) {
      case 'write':
        if (mounted) fileSystem.put(next.path, next.text, tick);
        break;
      case 'append':
        if (mounted) fileSystem.append(next.path, next.text, tick);
        break;
      case 'truncate': {
        const file = fileSystem.files.get(next.path);
        if (file !== undefined) fileSystem.put(next.path, file.bytes.slice(0, -next.by), tick);
        break;
      }
      case 'delete':
        fileSystem.files.delete(next.path);
        break;
      case 'touch':
        fileSystem.touch(next.path, tick);
        break;
      case 'rename':
        if (next.path !== next.to) fileSystem.rename(next.path, next.to);
        break;
      case 'scan':
        for (let i = 0; i < next.failures; i++) fileSystem.fail({ operation: 'list', skip: next.skip });
        await source.scan();
        fileSystem.clearFaults();
        await read();
        break;
      case 'broken-scan':
        fileSystem.fail({ operation: 'list', times: 100 });
        await source.scan();
        expect(source.failure).toMatchObject({ code: 'LISTING_FAILED' });
        await restart();
        break;
      case 'unmount':
        if (mounted) disk = fileSystem.replaceFolder('/in');
        mounted = false;
        break;
      case 'mount':
        if (disk !== null) fileSystem.replaceFolder('/in', disk.content, disk.identity);
        disk = null;
        mounted = true;
        break;
      case 'checkpoint':
        saved = source.checkpoint();
        modelSaved = { known: new Map(model.known), lines: [...model.lines] };
        break;
      case 'crash':
        await restart();
    }
  }
  await source.kill();
  expect(fileSystem.openSources).toBe(0);
}

describe('the source does what its model says, whatever happens to files and process', () => {
  for (const policy of ['ignore', 'reread'] as const) {
    it(`modified: ${policy}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => run(policy, steps)),
        { numRuns: 60 },
      );
    });
  }

  it('modified: ignore, known files told by their names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => run('ignore', steps, 1)),
      { numRuns: 60 },
    );
  });
});

describe('exactly once over crashes', () => {
  it('G88, H92, H93: files arrive, the process dies between any two batches, each line is read once', async () => {
    const action = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ type: fc.constant('arrive' as const), rows: fc.integer({ min: 0, max: 30 }) }),
      },
      {
        weight: 10,
        arbitrary: fc.record({ type: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 12 }) }),
      },
      { weight: 3, arbitrary: fc.constant({ type: 'checkpoint' as const }) },
      { weight: 3, arbitrary: fc.constant({ type: 'scan' as const }) },
      { weight: 2, arbitrary: fc.constant({ type: 'crash' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), fc.boolean(), async (actions, append) => {
        const source = new SourceHarness(
          { modified: append ? 'append' : 'ignore', splitSizeBytes: 20 },
          { batchRows: 3, chunkBytes: 7 },
        );
        const expected: string[] = [];
        let saved: Saved | null = null;
        await source.start();
        for (const [index, next] of actions.entries()) {
          if (next.type === 'arrive') {
            const rows = Array.from({ length: next.rows }, (_, row) => `${index}-${row}`);
            expected.push(...rows);
            source.fileSystem.put(`/in/${index}`, rows.map((row) => `${row}\n`).join(''));
          } else if (next.type === 'steps') {
            for (let i = 0; i < next.count; i++) await source.step();
          } else if (next.type === 'checkpoint') saved = source.checkpoint();
          else if (next.type === 'scan') await source.scan();
          else {
            await source.kill();
            await source.start(saved);
          }
        }
        await source.scan();
        await source.drain();
        expect([...source.lines].sort()).toEqual(expected.sort());
        expect(source.warnings).toEqual([]);
        await source.kill();
      }),
      { numRuns: 120 },
    );
  });
});
