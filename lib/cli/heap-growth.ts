/**
 * How far V8 may let the heaps of `run` and `backfill` grow beyond what is alive in them, in percent. Left alone it finds
 * that out from how fast they grow, and is wrong both ways:
 *
 *   10,000 open parts   60 MB are alive. Heaps of several times that took the process to 540 MB; with 40 % it is 430 to
 *                       500 MB.
 *   reading from S3     what a socket reads is garbage at once, in pieces of 64 KiB that count as heap: for 845 MB it was
 *                       marked 45 times, a third of 6.3 s of CPU. With 400 % it is 5 times and 4.4 s, for 30 MB more; from
 *                       S3 into 10,000 parts, 526 instead of 570 MB.
 *
 * Jobs between local folders with few parts take as long as before, and as much memory.
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import { isS3Location } from '../core/location.ts';

const SOCKETS_PERCENT = 400;
const FILES_PERCENT = 40;

export function heapGrowthPercent({ source }: CompiledJob): number {
  return source.paths.some(isS3Location) ? SOCKETS_PERCENT : FILES_PERCENT;
}
