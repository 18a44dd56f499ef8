// Runs something several times in one process and accounts for the runs after the first: code is warm then, and starting
// is not counted. Overwrites the account that measure-hook.cjs leaves of the whole process.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * @param folders what a run makes: set aside before the next one, which does not count; removed, they would cost it, see
 *   run-folders.ts
 * @param once does it all, and gives what else is to be known of the run
 */
export async function repeat(runs, folders, once) {
  const accounts = [];
  for (let run = 0; run < runs; run++) {
    for (const folder of folders) if (existsSync(folder)) renameSync(folder, `${folder}.${run}`);
    const before = process.cpuUsage();
    const started = performance.now();
    const more = await once();
    const wallSeconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    accounts.push({ wallSeconds, cpuSeconds: (user + system) / 1e6, ...more });
  }
  const target = process.env.SLUICE_BENCH_USAGE;
  if (target === undefined) {
    for (const account of accounts) console.log(JSON.stringify(account));
    return;
  }
  const warm = accounts.slice(1).sort((a, b) => a.cpuSeconds - b.cpuSeconds);
  const median = warm[warm.length >> 1];
  process.on('exit', () => {
    const whole = JSON.parse(readFileSync(target, 'utf8'));
    writeFileSync(target, JSON.stringify({ ...whole, ...median }));
  });
}
