/** What all ways of showing progress share. */
import type { JobProgress } from '../../pipeline/progress.ts';
import { humanDuration } from '../human.ts';

/** What shows counts as they grow. */
export interface ProgressMeter {
  update(progress: JobProgress): void;
  pause(): void;
  close(): void;
}

/** Between two JSON lines or two lines of text. */
export const LINE_INTERVAL_MS = 10_000;

/** What was done since a display began: a job's own counts begin where its last run ended. */
export function bytesSince(first: JobProgress, progress: JobProgress): number {
  return progress.bytesRead - first.bytesRead;
}

/** What is left, at the speed since the display began; null while nothing can be said. */
export function timeLeft(first: JobProgress, progress: JobProgress, elapsedMs: number): string | null {
  const read = bytesSince(first, progress);
  if (read === 0 || progress.bytesLeft === 0) return null;
  return humanDuration((elapsedMs / read) * progress.bytesLeft);
}
