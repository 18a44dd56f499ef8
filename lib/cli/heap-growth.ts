/**
 * How far V8 may let the heaps of a job's threads grow beyond what is alive in them, in percent. Left alone it finds that
 * out from how fast they grow, and is wrong both ways:
 *
 *   10,000 open parts     60 MB are alive; heaps of several times that took the process to 540 MB, and to 480 MB so, for
 *                         the same work
 *   reading from S3       what a socket reads is garbage at once, in pieces of 64 KiB that count as heap: it was marked 45
 *                         times for 845 MB, which was a third of 6.3 s of CPU. So it is 5 times, for 30 MB more
 *
 * Jobs between local folders with few parts take as long as before, and as much memory.
 */
import type { CompiledJob } from '../config/compiled-job.ts';
import { isS3Location } from '../core/location.ts';

const SOCKETS_PERCENT = 400;
const FILES_PERCENT = 40;

export function heapGrowthPercent({ source }: CompiledJob): number {
  return source.paths.some(isS3Location) ? SOCKETS_PERCENT : FILES_PERCENT;
}
