/** The command line: which command, with which options, and the exit status it ends with. */
import { Command, CommanderError } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { addCommands, type CommandContext } from './commands.ts';
import type { CliIo } from './io.ts';
import { Output, type OutputOptions } from './output.ts';

/**
 * Runs one command.
 * @param argv without the program's own name
 * @returns the exit status, see docs/errors.md; whatever goes wrong is rendered, never thrown
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let output = new Output(io, outputOptions(argv));
  const program = createProgram(io, (options) => {
    output = new Output(io, options);
    return { io, output };
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown, argv) : SluiceError.from(thrown);
    output.error(error);
    return error.exitCode;
  }
}

/** As far as they can be told before the command line is understood: an error in it has to be rendered too. */
function outputOptions(argv: readonly string[]): OutputOptions {
  return {
    json: argv.includes('--json'),
    quiet: argv.includes('--quiet'),
    verbose: argv.includes('--verbose'),
    colour: !argv.includes('--no-color'),
  };
}

function usageError(error: CommanderError, argv: readonly string[]): SluiceError {
  // Without a command that it knows there is only the help to show, and commander has an empty message for it.
  const [, asked] = argv.filter((argument) => !argument.startsWith('-'));
  const nothing = asked === undefined ? 'no command was given' : `unknown command '${asked}'`;
  const message = error.code === 'commander.help' ? nothing : error.message.replace(/^error: /, '');
  return new SluiceError('USAGE', message, {
    hint: '`sluice --help` lists the commands, `sluice <command> --help` their options',
  });
}

function createProgram(io: CliIo, enter: (options: OutputOptions) => CommandContext): Command {
  const program = new Command('sluice')
    .description('Files into a lake, exactly once.')
    .version(VERSION, '--version', 'print the version')
    .option('--json', 'print JSON on stdout')
    .option('--quiet', 'print errors only')
    .option('--verbose', 'print details, stacks and causes of errors')
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', EXIT_STATUSES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Errors are rendered by runCli.
      writeErr: () => {},
    });
  addCommands(program, (command) => {
    const options = command.optsWithGlobals<Readonly<Record<string, unknown>>>();
    return enter({
      json: options.json === true,
      quiet: options.quiet === true,
      verbose: options.verbose === true,
      colour: options.color !== false,
    });
  });
  return program;
}

const EXIT_STATUSES = `
Exit status:
  0  done, or stopped cleanly by a signal
  1  a bug in sluice
  2  usage or job file
  3  bad data under \`fail\`
  4  storage or environment
  5  state unreadable or of another version, or a promised part missing
  6  another process runs this job
`;
