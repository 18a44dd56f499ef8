/** The built program, run as a user runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../dist/lib/cli/main.cjs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Standard error so far. */
  readonly stderr: () => string;
  readonly stdout: () => string;
}

/** Those that have not ended yet. */
const running = new Set<Running>();

/** Kills what was started and runs still: for `afterEach`, so that no daemon of a failed test disturbs the next one. */
export async function endStarted(): Promise<void> {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.allSettled([...running].map(({ ended }) => ended));
}

/** Starts `sluice ...args`. */
export function startSluice(
  args: readonly string[],
  options: {
    readonly env?: Record<string, string>;
    readonly cwd?: string;
    readonly nodeArgs?: readonly string[];
    /** Path of another build's entry. */
    readonly program?: string;
    /** Command and arguments that start node: `setpriv ... --`, `sh -c 'ulimit ...'`. */
    readonly through?: readonly string[];
  } = {},
): Running {
  const { through = [], nodeArgs = [], program = MAIN } = options;
  const command = [...through, process.execPath, ...nodeArgs, program, ...args];
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const started: Running = { child, ended, stdout: () => stdout, stderr: () => stderr };
  running.add(started);
  const forget = () => running.delete(started);
  ended.then(forget, forget);
  return started;
}

/** Runs `sluice ...args` to its end. */
export function sluice(
  args: readonly string[],
  options: Parameters<typeof startSluice>[1] = {},
): Promise<Ended> {
  return startSluice(args, options).ended;
}
