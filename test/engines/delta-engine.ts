/** Trino with its Delta connector, which the other engine scripts leave out: started by trino-delta.sh beside this file. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Engine, parseRows, SCRIPTS } from './engine.ts';

const run = promisify(execFile);
const SCRIPT = path.resolve(import.meta.dirname, 'trino-delta.sh');
const ENVIRONMENT = { ...process.env, SLUICE_ENGINE_SCRIPTS: SCRIPTS };

export type DeltaEngine = Pick<Engine, 'query'>;

/** Why it cannot be started here; null where it can. */
export function missingDelta(): string | null {
  if (!(process.env.SLUICE_TEST_ENGINES ?? 'trino').split(',').includes('trino')) return 'not wanted';
  if (existsSync(path.join(SCRIPTS, 'query-lib.sh'))) return null;
  return `no query-lib.sh in ${SCRIPTS} (SLUICE_ENGINE_SCRIPTS)`;
}

/** Fetches it where it is not there, once (820 MB), and starts it. */
export async function startDelta(): Promise<DeltaEngine> {
  await run('bash', [SCRIPT, 'install'], { env: ENVIRONMENT });
  await run('bash', [SCRIPT, 'start'], { env: ENVIRONMENT });
  return {
    query: async (...statements) => {
      const { stdout } = await run('bash', [SCRIPT, 'query', ...statements], {
        env: ENVIRONMENT,
        maxBuffer: 256 * 1024 * 1024,
      });
      return parseRows(stdout, false);
    },
  };
}
