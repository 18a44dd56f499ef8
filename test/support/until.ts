import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until a condition holds; an error that names it where it does not within the time. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: this never comes`);
    await delay(10);
  }
}
