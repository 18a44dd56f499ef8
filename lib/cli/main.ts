#!/usr/bin/env node
/** The program `sluice`. */
import { processIo } from './io.ts';
import { runCli } from './run-cli.ts';

const status = await runCli(process.argv.slice(2), processIo());
// Not left to the event loop: whatever still waits there (a watcher, a socket) has nothing more to say.
process.stdout.write('', () => process.exit(status));
