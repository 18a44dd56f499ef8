/** Real query engines, started and asked by the scripts of SLUICE_ENGINE_SCRIPTS (default: ../shared/engines). */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
export const SCRIPTS = path.resolve(ROOT, process.env.SLUICE_ENGINE_SCRIPTS ?? '../shared/engines');
const ALL = ['hive', 'trino', 'presto'] as const;
const START_ATTEMPTS = 60;
const START_INTERVAL_MS = 1000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export type EngineName = (typeof ALL)[number];

export interface Engine {
  readonly name: EngineName;
  /** What its script exports: TRINO_URL, HIVE_METASTORE_URL ... */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs statements in one session; rows of all of them, null for NULL. @throws what the engine says */
  readonly query: (...statements: readonly string[]) => Promise<(string | null)[][]>;
}

/** SLUICE_TEST_ENGINES=hive,trino takes some of them only. */
export const WANTED: readonly EngineName[] = ALL.filter((name) =>
  (process.env.SLUICE_TEST_ENGINES ?? ALL.join(',')).split(',').includes(name),
);

/** Why there are no engines here; null where there are. In CI it is an error instead. */
export function missingEngines(): string | null {
  const missing = WANTED.filter((name) => !existsSync(path.join(SCRIPTS, `${name}.sh`)));
  if (missing.length === 0) return null;
  const why = `no ${missing.map((name) => `${name}.sh`).join(', ')} in ${SCRIPTS} (SLUICE_ENGINE_SCRIPTS)`;
  if (process.env.CI === 'true') throw new Error(`the engines have to be tested in CI, and there is ${why}`);
  return why;
}

/**
 * Starts an engine, or finds it running.
 * @param more environment of its script: HIVE_METASTORE_URL has Trino share Hive's metastore
 */
export async function startEngine(
  name: EngineName,
  more: Readonly<Record<string, string>> = {},
): Promise<Engine> {
  const script = path.join(SCRIPTS, `${name}.sh`);
  // Each with its own metastore: what one of them was told, the others must not know.
  const { HIVE_METASTORE_URL: _, ...environment } = process.env;
  const { stdout } = await run('bash', [script, 'start'], { env: { ...environment, ...more } });
  const variables = Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]),
  );
  return { name, variables, query: (...statements) => query(script, statements, name === 'hive') };
}

export async function stopEngine(name: EngineName): Promise<void> {
  await run('bash', [path.join(SCRIPTS, `${name}.sh`), 'stop']);
}

async function query(
  script: string,
  statements: readonly string[],
  escapesNested: boolean,
): Promise<(string | null)[][]> {
  const { stdout } = await whenStarted(() =>
    run('bash', [script, 'query', ...statements], { maxBuffer: MAX_OUTPUT_BYTES }),
  );
  return parseRows(stdout, escapesNested);
}

/**
 * What the scripts print.
 * @param escapesNested whether backslashes in nested values, which are JSON, are escaped once more
 */
export function parseRows(stdout: string, escapesNested: boolean): (string | null)[][] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) =>
    line
      .split('\t')
      .map((cell) => (cell === '\\N' ? null : !escapesNested && isNested(cell) ? cell : unescaped(cell))),
  );
}

/** Presto answers before it is ready, and says so. */
async function whenStarted<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === START_ATTEMPTS || !String(error).includes('SERVER_STARTING_UP')) throw error;
      await delay(START_INTERVAL_MS);
    }
  }
}

function isNested(cell: string): boolean {
  if (!cell.startsWith('[') && !cell.startsWith('{')) return false;
  try {
    JSON.parse(cell);
    return true;
  } catch {
    return false;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };

function unescaped(cell: string): string {
  return cell.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
