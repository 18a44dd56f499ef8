import { describe, expect, test } from 'vitest';
import { errorDocument, renderError } from '../../../lib/cli/render-error.ts';
import { NO_COLOURS } from '../../../lib/cli/style.ts';
import { ERROR_KINDS, type ErrorCode, SluiceError } from '../../../lib/core/errors.ts';
import { CliHarness, JOB } from './cli-harness.ts';

describe('rendering', () => {
  test.each(Object.keys(ERROR_KINDS) as ErrorCode[])('%s: code, what, why, what to do', (code) => {
    const error = new SluiceError(code, 'cannot open /data/a.csv: permission denied (EACCES)', {
      hint: 'check it',
    });
    expect(renderError(error, false, NO_COLOURS)).toBe(
      `error ${code} cannot open /data/a.csv: permission denied (EACCES)\n→ check it`,
    );
    expect(errorDocument(error, false)).toEqual({
      error: {
        code,
        message: 'cannot open /data/a.csv: permission denied (EACCES)',
        hint: 'check it',
        details: {},
        exit: ERROR_KINDS[code].exit,
        domain: ERROR_KINDS[code].domain,
        retryable: false,
      },
    });
  });

  test('--verbose adds details, stack and causes', () => {
    const cause = new Error('inner', { cause: 'innermost' });
    const error = new SluiceError('STORAGE_FAILED', 'outer', { cause, details: { path: '/a\u001b' } });
    const text = renderError(error, true, NO_COLOURS);
    expect(text).toContain('  path: "/a\\u001b"\n');
    expect(text).toMatch(/SluiceError: outer\n\s+at /);
    expect(text).toMatch(/caused by Error: inner\n\s+at /);
    expect(text).toMatch(/caused by innermost$/);
    expect(errorDocument(error, true)).toMatchObject({
      error: { causes: [expect.stringContaining('Error: inner'), 'innermost'] },
    });
  });

  test('an error of another thread tells the same', () => {
    const cause = new TypeError('inner', { cause: new Error('between', { cause: 'innermost' }) });
    const details = { path: '/a' };
    const error = new SluiceError('STORAGE_FAILED', 'outer', {
      cause,
      details,
      hint: 'wait',
      retryable: true,
    });
    const arrived = SluiceError.fromMessage(structuredClone(error.toMessage()));
    expect(renderError(arrived, true, NO_COLOURS)).toBe(renderError(error, true, NO_COLOURS));
    expect(errorDocument(arrived, true)).toEqual(errorDocument(error, true));
  });

  test('a circle of causes ends', () => {
    const cause = new Error('again');
    cause.cause = cause;
    const text = renderError(new SluiceError('INTERNAL', 'x', { cause }), true, NO_COLOURS);
    expect(text.match(/caused by/g)).toHaveLength(8);
  });
});

describe('on the command line', () => {
  test.each([
    [['--nope'], /unknown option '--nope'/],
    [['chekc', 'job.yaml'], /unknown command 'chekc'.*\n.*Did you mean check\?/],
    [['status'], /missing required argument 'job.yaml'/],
    [['status', 'a', 'b'], /too many arguments/],
    [[], /no command was given/],
    [['--quiet'], /no command was given/],
    [['help', 'nope'], /unknown command 'nope'/],
    [['backfill', 'job.yaml', '--memory', '3x'], /Expected a size such as 64MiB/],
    [['backfill', 'job.yaml', '--parallelism', 'many'], /Expected a whole number/],
    [['backfill', 'job.yaml', '--parallelism', '0'], /--parallelism a whole number from 1 to 256/],
    [['backfill', 'job.yaml', '--memory', '1KiB'], /at least 64KiB/],
    [['status', 'nope.yaml'], /the job file \/work\/nope.yaml does not exist/],
    [['status', '.'], /\/work is a folder/],
  ])('usage: %j ends with 2', async (argv, message) => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/job.yaml', JOB);
    expect(await cli.run(...argv)).toBe(2);
    expect(cli.stderr.text).toMatch(/^error USAGE /);
    expect(cli.stderr.text).toMatch(message);
    expect(cli.stderr.text).toMatch(/\n→ /);
    expect(cli.stdout.text).toBe('');
  });

  test('a wrong job file ends with 2 and says everything at once', async () => {
    const cli = new CliHarness();
    cli.fileSystem.put(
      '/work/job.yaml',
      JOB.replace('job: events', 'jobs: events').replace('path: ./in', 'paht: ./in'),
    );
    expect(await cli.run('backfill', 'job.yaml')).toBe(2);
    expect(cli.stderr.text).toBe(
      [
        'error JOB_INVALID /work/job.yaml has 4 problems:',
        '  line 1, column 1: job: is missing: expected a name of a-z, 0-9 and -, at most 63 characters',
        "  line 2, column 1: jobs: unknown key, did you mean 'job'?",
        '  line 3, column 1: source.path: is missing: expected a folder, a file, a glob, or a list of them',
        "  line 4, column 3: source.paht: unknown key, did you mean 'path'?",
        '→ docs/job-file.md lists every key with its type and default',
        '',
      ].join('\n'),
    );
  });

  test('--json: one document on stdout, nothing on stderr', async () => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/job.yaml', JOB.replace('job: events', 'job: Events'));
    expect(await cli.run('--json', 'status', 'job.yaml')).toBe(2);
    expect(cli.stderr.text).toBe('');
    expect(cli.documents()).toEqual([
      {
        error: {
          code: 'JOB_INVALID',
          message: expect.stringContaining('has a problem'),
          hint: expect.any(String),
          details: {
            file: '/work/job.yaml',
            problems: [{ path: 'job', line: 2, column: 6, message: expect.stringContaining('a-z') }],
          },
          exit: 2,
          domain: 'user',
          retryable: false,
        },
      },
    ]);
  });

  test('--json is understood even where the rest is not', async () => {
    const cli = new CliHarness();
    expect(await cli.run('status', '--json', '--nope')).toBe(2);
    expect(cli.documents()).toMatchObject([{ error: { code: 'USAGE' } }]);
  });

  test('what nobody expected is a bug: 1, with the way to report it', async () => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/job.yaml', JOB);
    expect(await cli.run('backfill', 'job.yaml')).toBe(1);
    expect(cli.stderr.text).toBe(
      'error INTERNAL no engine here\n→ this is a bug in sluice: please report it with the output of --verbose\n',
    );
    const verbose = new CliHarness();
    verbose.fileSystem.put('/work/job.yaml', JOB);
    expect(await verbose.run('backfill', 'job.yaml', '--verbose')).toBe(1);
    expect(verbose.stderr.text).toMatch(/caused by Error: no engine here\n\s+at /);
  });

  test.each(Object.keys(ERROR_KINDS) as ErrorCode[])(
    '%s from the engine gives its exit status',
    async (code) => {
      const cli = new CliHarness({
        engine: { runJob: () => Promise.reject(new SluiceError(code, 'it failed')) },
      });
      cli.fileSystem.put('/work/job.yaml', JOB);
      expect(await cli.run('run', 'job.yaml')).toBe(ERROR_KINDS[code].exit);
      expect(cli.stderr.text).toBe(`error ${code} it failed\n`);
      expect(cli.listeners).toBe(0);
    },
  );
});

describe('colours', () => {
  const ESCAPE = '\u001b[';
  const failed = async (options: ConstructorParameters<typeof CliHarness>[0], ...argv: string[]) => {
    const cli = new CliHarness(options);
    await cli.run('status', 'nope.yaml', ...argv);
    return cli.stderr.text;
  };

  test('on a terminal only', async () => {
    expect(await failed({ terminal: true })).toContain(ESCAPE);
    expect(await failed({ terminal: false })).not.toContain(ESCAPE);
  });

  test('not with NO_COLOR, --no-color or a dumb terminal', async () => {
    expect(await failed({ terminal: true, environment: { NO_COLOR: '1' } })).not.toContain(ESCAPE);
    expect(await failed({ terminal: true }, '--no-color')).not.toContain(ESCAPE);
    expect(await failed({ terminal: true, environment: { TERM: 'dumb' } })).not.toContain(ESCAPE);
    expect(await failed({ terminal: true, environment: { NO_COLOR: '' } })).toContain(ESCAPE);
  });
});

describe('help and version', () => {
  test('go to stdout and end with 0', async () => {
    const version = new CliHarness();
    expect(await version.run('--version')).toBe(0);
    expect(version.stdout.text).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const argv of [['--help'], ['help'], ['backfill', '--help'], ['help', 'check']]) {
      const cli = new CliHarness();
      expect(await cli.run(...argv)).toBe(0);
      expect(cli.stdout.text).toContain('Usage: sluice');
      expect(cli.stderr.text).toBe('');
    }
  });

  test.each(['', '/work/lake/dt=1', 's3://lake/dt=1'])(
    'verify --accept-missing %j is no folder below the lake',
    async (glob) => {
      const cli = new CliHarness();
      expect(await cli.run('verify', 'job.yaml', '--accept-missing', glob)).toBe(2);
      expect(cli.stderr.text).toMatch(/Expected a folder below sink.path, as in 'dt=2024-\*'/);
    },
  );

  test('only commands that work are listed', async () => {
    const cli = new CliHarness();
    await cli.run('--help');
    const commands = [...cli.stdout.text.matchAll(/^ {2}([a-z]+) (?:\[options\] )?[<[]/gm)].map(
      ([, name]) => name,
    );
    expect(commands).toEqual([
      'run',
      'backfill',
      'check',
      'plan',
      'status',
      'verify',
      'compact',
      'gc',
      'replay',
      'inspect',
      'ddl',
      'init',
      'help',
    ]);
  });
});
