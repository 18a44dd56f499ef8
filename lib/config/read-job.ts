/** From a job file to a compiled job: raw -> validated -> compiled. */
import path from 'node:path';
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { Expression } from '../core/expression.ts';
import type { SchemaSpec } from '../core/specs.ts';
import type { SourceRoot } from '../source/file-selector.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { parseExpression } from '../transform/expression/parse.ts';
import { expressionProblem } from '../transform/step-schema.ts';
import { compileJob, givenSchema, isSchema } from './compile-job.ts';
import { crossCheck } from './cross-checks.ts';
import type { Environment } from './environment.ts';
import { jobDefinition, type ValidatedJob } from './job-definition.ts';
import { jobInvalid, type Problem, placeProblems } from './problems.ts';
import { findReadBack } from './read-back.ts';
import { fieldList } from './source-section.ts';
import { validate } from './validate.ts';
import { MAX_FILE_BYTES, parseYaml } from './yaml-source.ts';

export interface ReadJobOptions {
  readonly fileSystem: FileSystem;
  readonly environment: Environment;
  /** Cores there are: the default of `parallelism`. */
  readonly parallelism: number;
  /** Where the job's own paths are; left out: where its file is. */
  readonly storageOf?: (job: CompiledJob) => Promise<FileSystem>;
}

/** A job file that was read. */
export interface JobFile {
  readonly job: CompiledJob;
  /** The error for what turned out to be wrong later, with its places in the file. */
  invalid(problems: readonly Problem[]): SluiceError;
}

/** As {@link readJobFile}, for those who need the job only. */
export async function readJob(file: string, options: ReadJobOptions): Promise<CompiledJob> {
  return (await readJobFile(file, options)).job;
}

/**
 * Reads a job file.
 * @param file absolute path
 * @throws SluiceError JOB_INVALID listing everything that is wrong with it, each with line and column
 * @throws SluiceError USAGE where it is not there, ACCESS_DENIED where it may not be read
 */
export async function readJobFile(file: string, options: ReadJobOptions): Promise<JobFile> {
  const { fileSystem, environment, parallelism } = options;
  const yaml = parseYaml(await readSmall(fileSystem, file, 'the job file'), file, environment);
  const validation = await validate(jobDefinition, yaml.value);
  if (!validation.ok || yaml.problems.length > 0) {
    const problems = validation.ok ? [] : placeProblems(validation.problems, yaml.locate);
    throw jobInvalid(file, withoutEchoes(yaml.problems, problems));
  }
  const invalid = (problems: readonly Problem[]) => jobInvalid(file, placeProblems(problems, yaml.locate));
  const job = validation.value;
  const folder = path.dirname(file);
  const schema = await readSchema(job, folder, fileSystem, invalid);
  const filters = await parseFilters(job, invalid);
  const compiled = compileJob(job, { folder, schema, parallelism, environment, filters });
  const storage = (await options.storageOf?.(compiled)) ?? fileSystem;
  const problems = [...crossCheck(compiled), ...findReadBack(compiled, await rootsOf(compiled, storage))];
  if (problems.length > 0) throw invalid(problems);
  return { job: compiled, invalid };
}

/** A value whose variable is missing is wrong in other ways too: only the first is worth saying. */
function withoutEchoes<T extends { readonly line: number; readonly column: number }>(
  first: readonly T[],
  others: readonly T[],
): T[] {
  const places = new Set(first.map(({ line, column }) => `${line}:${column}`));
  return [...first, ...others.filter(({ line, column }) => !places.has(`${line}:${column}`))];
}

async function parseFilters(
  { transform }: ValidatedJob,
  invalid: JobFile['invalid'],
): Promise<ReadonlyMap<number, Expression>> {
  const filters = new Map<number, Expression>();
  const problems: Problem[] = [];
  for (const [i, { filter }] of transform.entries()) {
    if (filter === undefined) continue;
    const parsed = await parseExpression(filter);
    if (parsed.ok) filters.set(i, parsed.expression);
    else problems.push({ path: ['transform', i, 'filter'], message: expressionProblem(filter, parsed) });
  }
  if (problems.length > 0) throw invalid(problems);
  return filters;
}

async function readSchema(
  job: ValidatedJob,
  folder: string,
  fileSystem: FileSystem,
  invalid: JobFile['invalid'],
): Promise<SchemaSpec> {
  const given = givenSchema(job.source.format);
  if (given === 'infer' || isSchema(given)) return given;
  const file = path.resolve(folder, given.path);
  if ((await fileSystem.stat(file)) === null) {
    throw invalid([
      { path: ['source', 'format', 'schema'], message: `the schema file ${file} does not exist` },
    ]);
  }
  const yaml = parseYaml(await readSmall(fileSystem, file, 'the schema file'), file, null);
  const validation = await validate(fieldList, yaml.value);
  if (!validation.ok) throw jobInvalid(file, placeProblems(validation.problems, yaml.locate));
  return { fields: validation.value };
}

async function readSmall(fileSystem: FileSystem, file: string, what: string): Promise<Uint8Array> {
  const status = await fileSystem.stat(file);
  if (status === null) {
    throw new SluiceError('USAGE', `${what} ${file} does not exist`, {
      hint: 'check the path; `sluice init` writes a job file by looking at a data folder',
      details: { path: file },
    });
  }
  if (status.isFolder) throw new SluiceError('USAGE', `${what} ${file} is a folder`, { hint: 'name a file' });
  // Before it is read: the path may well be that of a file of data.
  if (status.sizeBytes > MAX_FILE_BYTES) {
    throw new SluiceError(
      'JOB_INVALID',
      `${what} ${file} has ${status.sizeBytes} bytes, ${MAX_FILE_BYTES} are the most`,
      {
        hint: 'is it a job file?',
      },
    );
  }
  return (await fileSystem.readFile(file)) ?? new Uint8Array(0);
}

/** What the source would list. Nothing where that cannot be said yet: who lists it says why. */
async function rootsOf({ source }: CompiledJob, fileSystem: FileSystem): Promise<readonly SourceRoot[]> {
  const { selectRoots } = await import('../source/file-selector.ts');
  const roots: SourceRoot[] = [];
  for (const each of source.paths) {
    try {
      roots.push(...(await selectRoots({ ...source, paths: [each] }, fileSystem, () => {})));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
    }
  }
  return roots;
}
