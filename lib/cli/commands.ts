/** The commands: their arguments and options. What they do is loaded when one is called. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DURATION_FORM, parseDuration, parseSize, SIZE_FORM } from '../config/units.ts';
import type { ProcessingMode } from '../core/specs.ts';
import type { CliIo } from './io.ts';
import type { Output } from './output.ts';

/** A day: whoever looks into a failure has that long before the evidence goes. */
const DEFAULT_MIN_AGE_MS = 86_400_000;

export interface CommandContext {
  readonly io: CliIo;
  readonly output: Output;
}

type ContextOf = (command: Command) => CommandContext;

/** Options of `run` and `backfill`. */
export interface RunCommandOptions {
  /** Bytes. */
  readonly memory?: number;
  readonly parallelism?: number;
  readonly timings?: boolean;
  readonly acceptMissing: readonly string[];
}

export interface GcCommandOptions {
  readonly dryRun?: boolean;
  /** Milliseconds. */
  readonly minAge: number;
}

export interface PlanCommandOptions {
  readonly explain?: boolean;
}

export interface VerifyCommandOptions {
  readonly deep?: boolean;
  readonly acceptMissing: readonly string[];
}

export interface DdlCommandOptions {
  readonly engine: string;
  readonly table?: string;
  readonly schema: string;
  readonly location?: string;
  readonly partitionedBy?: string;
}

/** Of `check` and `status`. */
export interface SchemaCommandOptions {
  readonly schema?: boolean;
}

export interface InitCommandOptions {
  readonly output: string;
  readonly force?: boolean;
}

export function addCommands(program: Command, contextOf: ContextOf): void {
  addRun(program, contextOf, 'run', 'continuously', 'move files as they come, until stopped by a signal');
  addRun(program, contextOf, 'backfill', 'once', 'move the files that are there, and end');
  program
    .command('check')
    .description('read a job file, reach its paths, and print the compiled job and its schema')
    .argument('<job.yaml>', 'job file')
    .option('--schema', 'print the inferred schema as YAML to paste, and how sure it is')
    .action(async (file: string, options: SchemaCommandOptions, command: Command) => {
      const { check, checkSchema } = await import('./commands/check.ts');
      await (options.schema === true ? checkSchema : check)(file, contextOf(command));
    });
  program
    .command('plan')
    .description('say which files would be read, in which splits, and to which buckets; write nothing')
    .argument('<job.yaml>', 'job file')
    .option('--explain', 'tell of each other file below the source, too, why it is not input')
    .action(async (file: string, options: PlanCommandOptions, command: Command) => {
      const { plan } = await import('./commands/plan.ts');
      await plan(file, options, contextOf(command));
    });
  program
    .command('status')
    .description('print how far a job is, while it runs or after it ended')
    .argument('<job.yaml>', 'job file')
    .option('--schema', 'print how the schema came to be')
    .action(async (file: string, options: SchemaCommandOptions, command: Command) => {
      const { schemaStatus, status } = await import('./commands/status.ts');
      await (options.schema === true ? schemaStatus : status)(file, contextOf(command));
    });
  program
    .command('verify')
    .description('prove that every row read is in the lake, every part whole, and nothing else there')
    .argument('<job.yaml>', 'job file')
    .option('--deep', 'read source and lake once more, and compare their values')
    .option(
      '--accept-missing <glob>',
      'partitions that were dropped as a whole are no finding: a glob of folders below the lake; may be repeated',
      moreGlobs,
      [] as readonly string[],
    )
    .action(async (file: string, options: VerifyCommandOptions, command: Command) => {
      const { verify } = await import('./commands/verify.ts');
      await verify(file, options, contextOf(command));
    });
  program
    .command('compact')
    .description('merge the small parts of each bucket, while the job does not run')
    .argument('<job.yaml>', 'job file')
    .action(async (file: string, _: unknown, command: Command) => {
      const { compact } = await import('./commands/compact.ts');
      await compact(file, contextOf(command));
    });
  program
    .command('gc')
    .description('say of each leftover file whether a job may still need it, and remove those it cannot')
    .argument('<job.yaml>', 'job file')
    .option('--dry-run', 'remove nothing')
    .addOption(
      new Option('--min-age <duration>', 'leave younger ones alone')
        .argParser(durationArgument)
        .default(DEFAULT_MIN_AGE_MS, '24h'),
    )
    .action(async (file: string, options: GcCommandOptions, command: Command) => {
      const { gc } = await import('./commands/gc.ts');
      await gc(file, options, contextOf(command));
    });
  program
    .command('replay')
    .description('feed quarantined records through the job once more, and mark them done')
    .argument('<job.yaml>', 'job file')
    .action(async (file: string, _: unknown, command: Command) => {
      const { replay } = await import('./commands/replay.ts');
      await replay(file, contextOf(command));
    });
  program
    .command('inspect')
    .description('print what is in a checkpoint, a Parquet part or a part of lines')
    .argument('<file>', 'checkpoint or part file')
    .action(async (file: string, _: unknown, command: Command) => {
      const { inspect } = await import('./commands/inspect.ts');
      await inspect(file, contextOf(command));
    });
  program
    .command('ddl')
    .description('print the CREATE TABLE of the lake for a query engine')
    .argument('<job.yaml>', 'job file')
    .requiredOption('--engine <engine>', 'trino, presto, hive, spark, duckdb or athena')
    .option('--table <name>', 'name of the table; default: that of the job')
    .option('--schema <name>', 'schema or database of the table', 'default')
    .option('--location <url>', 'folder of the table as the engine sees it; default: file:// and sink.path')
    .option('--partitioned-by <keys>', 'keys of the folders, where a custom assigner makes them: dt,hour')
    .action(async (file: string, options: DdlCommandOptions, command: Command) => {
      const { ddl } = await import('./commands/ddl.ts');
      await ddl(file, options, contextOf(command));
    });
  program
    .command('init')
    .description('write a commented job file by looking at a folder of data')
    .argument('<folder>', 'folder with the data')
    .option('-o, --output <job.yaml>', 'where to write it; - for stdout', 'job.yaml')
    .option('--force', 'replace the file if it is there')
    .action(async (folder: string, options: InitCommandOptions, command: Command) => {
      const { init } = await import('./commands/init.ts');
      await init(folder, options, contextOf(command));
    });
}

function addRun(
  program: Command,
  contextOf: ContextOf,
  name: string,
  mode: ProcessingMode,
  description: string,
): void {
  program
    .command(name)
    .description(description)
    .argument('<job.yaml>', 'job file')
    .option('--memory <size>', 'instead of `memory` in the job file', sizeArgument)
    .option('--parallelism <n>', 'instead of `parallelism` in the job file', countArgument)
    .option('--timings', 'print where the time went')
    .option(
      '--accept-missing <glob>',
      'go on without open parts of partitions that were dropped as a whole: a glob of folders below the lake; may be repeated',
      moreGlobs,
      [] as readonly string[],
    )
    .action(async (file: string, options: RunCommandOptions, command: Command) => {
      const { runCommand } = await import('./commands/run.ts');
      await runCommand(file, mode, options, contextOf(command));
    });
}

function sizeArgument(text: string): number {
  const bytes = parseSize(text);
  if (bytes === null) throw new InvalidArgumentError(`Expected ${SIZE_FORM}.`);
  return bytes;
}

function moreGlobs(glob: string, globs: readonly string[]): readonly string[] {
  return [...globs, globArgument(glob)];
}

function globArgument(glob: string): string {
  if (glob === '' || glob.startsWith('/') || glob.includes('://'))
    throw new InvalidArgumentError("Expected a folder below sink.path, as in 'dt=2024-*'.");
  return glob;
}

function durationArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError(`Expected ${DURATION_FORM}.`);
  return ms;
}

function countArgument(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
