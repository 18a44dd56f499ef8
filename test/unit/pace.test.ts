import { expect, test } from 'vitest';
import { Pace } from '../../lib/core/pace.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('what was read has to be waited for, and idle time is not saved up', () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, 1000);
  expect(pace.waitMs).toBe(0);
  pace.spend(500);
  expect(pace.waitMs).toBe(500);
  clock.advance(200);
  pace.spend(100);
  expect(pace.waitMs).toBe(400);
  clock.advance(10_000);
  expect(pace.waitMs).toBe(0);
  pace.spend(1000);
  expect(pace.waitMs).toBe(1000);
});
