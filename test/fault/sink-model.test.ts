/**
 * The sink against a model of a few lines, driven by random {write, tick, checkpoint, lost checkpoint, acknowledge,
 * crash}. The model knows one thing: rows are exactly those written before the newest durable checkpoint, plus what was
 * written since by the process that lives.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RollingPolicy } from '../../lib/core/rolling-policy.ts';
import { type Checkpointed, neverRoll, policy, SinkHarness, sizeAndTime } from '../support/sink-harness.ts';

type Step =
  | { readonly kind: 'write'; readonly bucket: number; readonly rows: number }
  | { readonly kind: 'tick'; readonly ms: number }
  /** Taken and durable. */
  | { readonly kind: 'checkpoint' }
  /** Taken by the sink, and the process died before it was durable. */
  | { readonly kind: 'lost-checkpoint' }
  /** The newest durable checkpoint's promises are kept. */
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      bucket: fc.nat(3),
      rows: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'checkpoint' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lost-checkpoint' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

const policies: Readonly<Record<string, RollingPolicy>> = {
  never: neverRoll,
  'size and time': sizeAndTime({ size: 200, age: 60, inactivity: 20 }),
  'on checkpoint': policy({ shouldRollOnCheckpoint: () => true }),
};

async function run(steps: readonly Step[], rolling: RollingPolicy, flushBytes: number): Promise<void> {
  const harness = await SinkHarness.open({ policy: rolling, flushBytes, memoryBytes: 16 * 1024 });
  try {
    /** Rows in the newest durable checkpoint, and those since. */
    let durable: string[] = [];
    let since: string[] = [];
    let newest: Checkpointed | null = null;
    let id = 0;
    let next = 0;
    const seen = new Map<string, string>();
    const restart = async () => {
      since = [];
      await (newest === null ? harness.restart() : harness.restart(newest));
    };
    const observe = async () => {
      const contents = await harness.contents();
      for (const [file, text] of seen) expect(contents[file], `${file} changed or vanished`).toBe(text);
      const promised = new Set(durable);
      for (const [file, text] of Object.entries(contents)) {
        seen.set(file, text);
        for (const row of text.split(',')) {
          expect(
            promised.has(`${file.split('/')[0]}:${row}`),
            `${row} is visible and in no durable checkpoint`,
          ).toBe(true);
        }
      }
    };
    for (const action of steps) {
      switch (action.kind) {
        case 'write': {
          const records = Array.from({ length: action.rows }, () => `b${action.bucket}:${next++}`);
          await harness.writeBatch(records);
          since.push(...records);
          break;
        }
        case 'tick':
          await harness.tick(action.ms);
          break;
        case 'checkpoint':
          newest = await harness.snapshot(++id);
          durable = [...durable, ...since];
          since = [];
          break;
        case 'lost-checkpoint':
          await harness.snapshot(++id);
          await restart();
          break;
        case 'acknowledge':
          if (newest !== null) await harness.notify(newest.id);
          await observe();
          break;
        case 'crash':
          await restart();
          await observe();
          break;
      }
    }
    newest = await harness.snapshot(++id, true);
    durable = [...durable, ...since];
    await harness.notify(id);
    await observe();
    const rows = Object.entries(await harness.contents()).flatMap(([file, text]) =>
      text.split(',').map((row) => `${file.split('/')[0]}:${row}`),
    );
    expect(rows.sort()).toEqual([...durable].sort());
  } finally {
    await harness.dispose();
  }
}

describe('sink model', () => {
  for (const [name, rolling] of Object.entries(policies)) {
    for (const flushBytes of [64, 1 << 20]) {
      it(`rows are visible exactly once: policy ${name}, ${flushBytes === 64 ? 'flushed at once' : 'kept in segments'}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) =>
            run(steps, rolling, flushBytes),
          ),
          { numRuns: 60 },
        );
      });
    }
  }
});
