#!/usr/bin/env node
/** The program `sluice`. */
import { useCodeCache } from '../core/code-cache.ts';
import { rethrow } from '../core/errors.ts';
import { processIo } from './io.ts';
import { needsThreads } from './threads.ts';

const workDone = useCodeCache('main');

/** What a file says that does not take our output. A reader that went away (`| head`, EPIPE) misses nothing. */
const DISK_ERRORS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);
/** As for any other disk. */
const OUTPUT_LOST = 4;
/** As Node ends a module that waits for what will never come. */
const UNSETTLED = 13;

async function main(argv: readonly string[]): Promise<void> {
  const startsJob = needsThreads(argv);
  const io = processIo(startsJob);
  // A thread takes as long to start and load as the command line and the job file do: it starts before them, and the
  // files of the engine are read meanwhile. Whoever needs them is told should one fail.
  if (startsJob) void Promise.allSettled([io.startThreads(), io.loadEngine()]);
  const { runCli } = await import('./run-cli.ts');
  const status = await runCli(argv, io);
  workDone();
  process.stdout.write('', (error) => {
    const lost = error && 'code' in error && DISK_ERRORS.has(error.code);
    if (lost) process.stderr.write(`error the output could not be written: ${error.message}\n`);
    // Not left to the event loop: whatever still waits there (a watcher, a socket) has nothing more to say.
    process.exit(lost && status === 0 ? OUTPUT_LOST : status);
  });
}

// Until it has been told: that nothing is left to wait for is not success.
process.exitCode = UNSETTLED;
main(process.argv.slice(2)).catch(rethrow);
