/** One run of one candidate: a process, measured from outside (wall) and from inside (CPU, memory). */
import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Usage {
  /** From the start of the process until it was gone. */
  readonly wallSeconds: number;
  /** User and system, all threads. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Milliseconds by stage, where the candidate tells them. */
  readonly stages: Readonly<Record<string, number>> | null;
}

const HOOK = fileURLToPath(new URL('measure-hook.cjs', import.meta.url));
/** A run that takes longer is a hang. */
const TIMEOUT_MS = 10 * 60_000;

/** Without what this machine makes of node: reading a file of extra certificates takes 0.05 s of each start. */
function environment(usageFile: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS, ...others } = process.env;
  return { ...others, SLUICE_BENCH_USAGE: usageFile };
}

/**
 * @param args of node: options, script, its arguments; or of another program that writes its account to
 *   $SLUICE_BENCH_USAGE itself
 * @param folder where the process may leave its account
 */
export async function measureProcess(
  args: readonly string[],
  folder: string,
  program?: string,
): Promise<Usage> {
  // What the run before left to be written must not be paid for by this one.
  spawnSync('sync');
  const usageFile = path.join(folder, 'usage.json');
  const started = performance.now();
  const child = spawn(program ?? process.execPath, program ? args : ['--require', HOOK, ...args], {
    cwd: folder,
    env: environment(usageFile),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-10_000);
  });
  let wallSeconds = 0;
  const status = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => {
      wallSeconds = (performance.now() - started) / 1000;
    });
    child.on('close', (code, signal) => resolve(signal ?? String(code)));
  });
  if (status !== '0')
    throw new Error(`${program ?? 'node'} ${args.join(' ')} ended with ${status}\n${stderr}`);
  const usage: Omit<Usage, 'stages' | 'wallSeconds'> & { timings?: Usage['stages']; wallSeconds?: number } =
    JSON.parse(await readFile(usageFile, 'utf8'));
  return {
    wallSeconds: usage.wallSeconds ?? wallSeconds,
    cpuSeconds: usage.cpuSeconds,
    peakRssBytes: usage.peakRssBytes,
    stages: usage.timings ?? stagesOf(stdout),
  };
}

/** What `sluice backfill --json --timings` printed; null where something else did. */
function stagesOf(stdout: string): Usage['stages'] {
  if (!stdout.startsWith('{')) return null;
  const document: { timings_ms?: Record<string, number> } = JSON.parse(stdout);
  return document.timings_ms ?? null;
}
