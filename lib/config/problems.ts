/** What is wrong in a job file: all of it in one error, each with its place. */
import { SluiceError } from '../core/errors.ts';

export type KeyPath = readonly (string | number)[];

export interface Problem {
  /** Keys from the top of the file; empty for the file itself. */
  readonly path: KeyPath;
  readonly message: string;
  /** Whether the place is the key (an unknown one) or the value. Default: the value. */
  readonly at?: 'key' | 'value';
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface PlacedProblem extends Position {
  /** `source.path[2]`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
}

export type Locate = (path: KeyPath, at: 'key' | 'value') => Position;

/** Files with more problems than this have one problem in common. */
const MAX_LISTED = 50;

export function placeProblems(problems: readonly Problem[], locate: Locate): PlacedProblem[] {
  return problems.map(({ path, message, at = 'value' }) => ({
    path: formatPath(path),
    message,
    ...locate(path, at),
  }));
}

/** The error for a file with problems, in the order in which they stand there. */
export function jobInvalid(file: string, problems: readonly PlacedProblem[]): SluiceError {
  const listed = [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .slice(0, MAX_LISTED)
    .map(({ line, column, path, message }) => ({ path, line, column, message }));
  const lines = listed.map(
    ({ line, column, path, message }) =>
      `\n  line ${line}, column ${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
  if (problems.length > MAX_LISTED) lines.push(`\n  ... and ${problems.length - MAX_LISTED} more`);
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new SluiceError('JOB_INVALID', `${file} has ${count}:${lines.join('')}`, {
    hint: 'docs/job-file.md lists every key with its type and default',
    details: { file, problems: listed },
  });
}

/** `source.path[2]` */
function formatPath(path: KeyPath): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('');
}
