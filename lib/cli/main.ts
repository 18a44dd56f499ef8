#!/usr/bin/env node
/** The program `sluice`. */
import { setFlagsFromString } from 'node:v8';
import { processIo } from './io.ts';
import { runCli } from './run-cli.ts';

// The kernels are small and run for as long as the job: they are compiled well at once instead of once they are found to
// be hot. Takes 16 % off the CPU time of a job of 1,000,000 rows. A matter of the program, not of the library.
setFlagsFromString('--no-wasm-dynamic-tiering');

const status = await runCli(process.argv.slice(2), processIo());
// Not left to the event loop: whatever still waits there (a watcher, a socket) has nothing more to say.
process.stdout.write('', () => process.exit(status));
