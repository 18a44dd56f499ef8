import { describe, expect, it } from 'vitest';
import { type WatermarkState, Watermarks } from '../../../lib/commit/watermarks.ts';
import type { WatermarkSpec } from '../../../lib/core/specs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function open(spec: Partial<WatermarkSpec> = {}, restored: WatermarkState | null = null) {
  const clock = new ManualClock(0);
  const full = { maxOutOfOrdernessMs: 0, idleTimeoutMs: null, late: 'keep', allowedLatenessMs: 0 } as const;
  return { clock, watermarks: new Watermarks({ ...full, ...spec }, clock, restored) };
}
const NONE = Number.NEGATIVE_INFINITY;

describe('watermarks', () => {
  it('stay behind the newest event time by the bound on disorder, and a millisecond', () => {
    const { watermarks } = open({ maxOutOfOrdernessMs: 100 });
    watermarks.begin('a', NONE);
    expect(watermarks.advance(false)).toBe(false);
    expect(watermarks.watermarkMs).toBe(NONE);
    watermarks.observe('a', 1000);
    expect(watermarks.advance(false)).toBe(true);
    expect(watermarks.watermarkMs).toBe(899);
    watermarks.observe('a', 500);
    expect(watermarks.advance(false)).toBe(false);
    expect(watermarks.watermarkMs).toBe(899);
  });

  it('are the least of the splits being read; one that gave nothing yet holds them back', () => {
    const { watermarks } = open();
    watermarks.begin('a', NONE);
    watermarks.begin('b', NONE);
    watermarks.observe('a', 1001);
    expect(watermarks.advance(false)).toBe(false);
    watermarks.observe('b', 501);
    watermarks.advance(false);
    expect(watermarks.watermarkMs).toBe(500);
    watermarks.end('b');
    watermarks.advance(false);
    expect(watermarks.watermarkMs).toBe(1000);
  });

  it('never go back, for a new split nor after a restart', () => {
    const { watermarks } = open();
    watermarks.begin('a', NONE);
    watermarks.observe('a', 1001);
    watermarks.advance(false);
    watermarks.begin('b', NONE);
    watermarks.observe('b', 11);
    expect(watermarks.advance(false)).toBe(false);
    const again = open({ maxOutOfOrdernessMs: 900 }, watermarks.state).watermarks;
    again.begin('b', 11);
    again.observe('b', 12);
    expect(again.advance(false)).toBe(false);
    expect(again.watermarkMs).toBe(1000);
  });

  it('a split without rows for idle_timeout is set aside until it gives some', () => {
    const { clock, watermarks } = open({ idleTimeoutMs: 50 });
    watermarks.begin('a', NONE);
    watermarks.begin('b', NONE);
    clock.advance(40);
    watermarks.observe('a', 1001);
    expect(watermarks.advance(false)).toBe(false);
    clock.advance(10);
    expect(watermarks.advance(false)).toBe(true);
    expect(watermarks.watermarkMs).toBe(1000);
    watermarks.observe('b', 1101);
    watermarks.observe('a', 1201);
    watermarks.advance(false);
    expect(watermarks.watermarkMs).toBe(1100);
  });

  it('a split that is read behind another one holds nothing back before its turn, and is idle only from then on', () => {
    const { clock, watermarks } = open({ idleTimeoutMs: 50 });
    watermarks.begin('a', NONE);
    watermarks.begin('b', NONE, 'a');
    watermarks.begin('c', NONE, 'b');
    watermarks.observe('a', 1001);
    expect(watermarks.advance(true)).toBe(true);
    expect(watermarks.watermarkMs).toBe(1000);
    clock.advance(100);
    watermarks.observe('a', 2001);
    watermarks.end('a');
    expect(watermarks.advance(true)).toBe(false);
    clock.advance(40);
    watermarks.observe('b', 3001);
    watermarks.end('b');
    clock.advance(40);
    expect(watermarks.advance(true)).toBe(false);
    clock.advance(10);
    expect(watermarks.advance(true)).toBe(true);
    expect(watermarks.watermarkMs).toBe(3000);
  });

  it('a checkpoint holds the newest time of what ended meanwhile', () => {
    const { watermarks } = open();
    watermarks.begin('a', NONE);
    watermarks.observe('a', 1001);
    const before = watermarks.state;
    expect(watermarks.withEnded(before, [])).toEqual(before);
    expect(watermarks.withEnded(before, [undefined, 500]).newestMs).toBe(1001);
    expect(watermarks.withEnded(before, [900, 2001, undefined]).newestMs).toBe(2001);
    expect(watermarks.withEnded({ watermarkMs: null, newestMs: null }, [undefined]).newestMs).toBeNull();
  });

  it('where all are set aside, everything seen counts', () => {
    const { clock, watermarks } = open({ idleTimeoutMs: 50 });
    watermarks.begin('a', NONE);
    watermarks.begin('b', NONE);
    watermarks.observe('a', 1001);
    watermarks.observe('b', 501);
    clock.advance(50);
    watermarks.advance(true);
    expect(watermarks.watermarkMs).toBe(1000);
  });

  it('with nothing being read, everything seen counts, unless files wait', () => {
    const { watermarks } = open();
    watermarks.begin('a', NONE);
    watermarks.begin('b', NONE);
    watermarks.observe('b', 1001);
    watermarks.end('b');
    watermarks.observe('a', 501);
    watermarks.end('a');
    expect(watermarks.advance(true)).toBe(false);
    expect(watermarks.advance(false)).toBe(true);
    expect(watermarks.watermarkMs).toBe(1000);
  });

  it('a split that goes on in another subtask goes on where it was', () => {
    const { watermarks } = open();
    watermarks.begin('a', 700);
    watermarks.advance(false);
    expect(watermarks.watermarkMs).toBe(699);
  });

  it('held: a replay leaves it where it was, also below what the source had seen', () => {
    const watermarks = new Watermarks(
      { maxOutOfOrdernessMs: 0, idleTimeoutMs: null, late: 'drop', allowedLatenessMs: 0 },
      new ManualClock(0),
      // One file was read to 2000, another one only to 501 when the job ended.
      { watermarkMs: 500, newestMs: 2000 },
      true,
    );
    expect(watermarks.advance(false)).toBe(false);
    watermarks.begin('replayed', NONE);
    watermarks.observe('replayed', 9000);
    watermarks.end('replayed');
    expect(watermarks.advance(false)).toBe(false);
    expect(watermarks.state).toEqual({ watermarkMs: 500, newestMs: 2000 });
  });

  it('state is JSON', () => {
    const { watermarks } = open();
    expect(watermarks.state).toEqual({ watermarkMs: null, newestMs: null });
    expect(JSON.parse(JSON.stringify(watermarks.state))).toEqual(watermarks.state);
  });
});
