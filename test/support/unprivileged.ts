/** Root may read and write anything: what a test needs to see a permission denied. */
import { spawnSync } from 'node:child_process';
import { getuid } from 'node:process';

const CAPABILITIES = '-dac_override,-dac_read_search';

/** Command and first arguments in front of a program that is to obey file permissions; null where there is no way. */
export function unprivileged(): readonly string[] | null {
  if (getuid?.() !== 0) return [];
  const drop = ['setpriv', `--bounding-set=${CAPABILITIES}`, `--inh-caps=${CAPABILITIES}`, '--'];
  return spawnSync(drop[0]!, [...drop.slice(1), 'true']).status === 0 ? drop : null;
}
