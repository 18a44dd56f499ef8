/** The program itself, as a process. What commands do is tested without one. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { VERSION } from '../../../lib/core/version.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function sluice(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'lib/cli/main.ts', ...argv],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '' },
    },
  );
  return { status, stdout, stderr };
}

test('--version', () => {
  expect(sluice('--version')).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('exit status and streams of an error', () => {
  expect(sluice('status', 'no-such-job.yaml', '--json')).toMatchObject({
    status: 2,
    stdout: expect.stringMatching(/^\{"error":\{"code":"USAGE",.*\}\n$/),
    stderr: '',
  });
});
