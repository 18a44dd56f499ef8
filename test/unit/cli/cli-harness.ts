import { Writable } from 'node:stream';
import type { CliIo, Engine, OutputStream, StopSignal } from '../../../lib/cli/io.ts';
import { runCli } from '../../../lib/cli/run-cli.ts';
import type { FileSystem } from '../../../lib/storage/file-system.ts';
import { countingIds } from '../../support/counting-ids.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

/** A stream that keeps what was written. */
class Captured extends Writable implements OutputStream {
  readonly isTTY: boolean;
  readonly columns = 120;
  text = '';

  constructor(isTerminal: boolean) {
    super();
    this.isTTY = isTerminal;
  }

  override _write(chunk: unknown, _: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

export interface HarnessOptions {
  readonly terminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly engine?: Engine;
  readonly fileSystem?: FileSystem;
}

/** The command line, without a process around it. */
export class CliHarness {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 23, 12));
  readonly fileSystem = new MemoryFileSystem(this.clock);
  readonly stdout = new Captured(false);
  readonly stderr: Captured;
  /** Statuses that the process was ended with at once. */
  readonly exits: number[] = [];
  readonly heapGrowth: number[] = [];
  readonly #io: CliIo;
  #listeners: ((signal: StopSignal) => void)[] = [];

  constructor(options: HarnessOptions = {}) {
    this.stderr = new Captured(options.terminal ?? false);
    this.#io = {
      stdout: this.stdout,
      stderr: this.stderr,
      environment: options.environment ?? {},
      workingFolder: '/work',
      parallelism: 2,
      clock: this.clock,
      ids: countingIds(),
      openFileSystem: async () => options.fileSystem ?? this.fileSystem,
      loadEngine: async () => options.engine ?? failingEngine,
      startThreads: async () => ({
        startSubtask: () => {
          throw new Error('no thread was expected');
        },
      }),
      setHeapGrowth: (percent) => {
        this.heapGrowth.push(percent);
      },
      onSignal: (listener) => {
        this.#listeners.push(listener);
        return () => {
          this.#listeners = this.#listeners.filter((other) => other !== listener);
        };
      },
      exit: (status) => {
        this.exits.push(status);
      },
    };
  }

  run(...argv: string[]): Promise<number> {
    return runCli(argv, this.#io);
  }

  signal(signal: StopSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  get listeners(): number {
    return this.#listeners.length;
  }

  /** The documents on stdout. */
  documents(): unknown[] {
    return this.stdout.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
}

const failingEngine: Engine = {
  runJob: () => Promise.reject(new Error('no engine here')),
};

export const JOB = `version: 1
job: events
source:
  path: ./in
  format: { type: ndjson, schema: [{ name: id, type: int64 }] }
sink:
  path: ./lake
  bucket: { type: base_path }
`;
