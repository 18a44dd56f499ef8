/**
 * The one error class. A code decides the exit status, who has to act, and whether trying again can help; the message
 * says what failed, on what and why; the hint says what to do.
 */

export type ErrorDomain = 'user' | 'external' | 'internal';

interface ErrorKind {
  readonly exit: number;
  readonly domain: ErrorDomain;
  /** One line for docs/errors.md, which a test holds against this table. */
  readonly about: string;
}

/** Every code there is; what their exit statuses mean is in docs/errors.md. */
export const ERROR_KINDS = {
  INTERNAL: { exit: 1, domain: 'internal', about: 'a bug in sluice' },
  USAGE: { exit: 2, domain: 'user', about: 'the command line is wrong' },
  JOB_INVALID: { exit: 2, domain: 'user', about: 'the job file does not parse or does not validate' },
  JOB_MISMATCH: { exit: 2, domain: 'user', about: 'the job file no longer fits the state that the job has' },
  SCHEMA_UNKNOWN: { exit: 2, domain: 'user', about: 'no schema was given and none could be inferred' },
  STEP_ILLEGAL: {
    exit: 1,
    domain: 'internal',
    about: 'a part file or writer was asked for a step its state forbids',
  },
  BAD_RECORD: {
    exit: 3,
    domain: 'user',
    about: 'a record does not fit its format or schema, and the policy is fail',
  },
  NEW_FIELD: {
    exit: 3,
    domain: 'user',
    about: 'a file has a column that the schema does not have, and the policy is fail',
  },
  TOO_MANY_BAD_RECORDS: {
    exit: 3,
    domain: 'user',
    about: 'more bad records than max_bad_records or max_bad_ratio allows',
  },
  RECORD_TOO_LARGE: { exit: 3, domain: 'user', about: 'a record is longer than max_record_size' },
  INPUT_CORRUPT: {
    exit: 3,
    domain: 'user',
    about: 'an input file is damaged (torn gzip, wrong magic bytes)',
  },
  FILE_MODIFIED: {
    exit: 3,
    domain: 'user',
    about: 'an input file changed after it was taken, and the policy is fail',
  },
  NOT_ACCOUNTED: {
    exit: 3,
    domain: 'external',
    about: 'verify found that source, ledger and lake do not agree',
  },
  PATH_ESCAPE: { exit: 3, domain: 'user', about: 'a value of the data would lead out of the base path' },
  NOT_FOUND: { exit: 4, domain: 'external', about: 'a file or folder does not exist' },
  ACCESS_DENIED: { exit: 4, domain: 'external', about: 'a file or folder may not be read or written' },
  DISK_FULL: { exit: 4, domain: 'external', about: 'the storage has no space left or a quota is reached' },
  STORAGE_FAILED: { exit: 4, domain: 'external', about: 'reading or writing failed, retries included' },
  STORAGE_UNSUITABLE: {
    exit: 4,
    domain: 'external',
    about: 'the object store lacks something that exactly once rests on',
  },
  LISTING_FAILED: { exit: 4, domain: 'external', about: 'the source could not be listed, retries included' },
  TARGET_EXISTS: {
    exit: 4,
    domain: 'external',
    about: 'a file that is not ours stands under the name of a part',
  },
  PARTITION_COMMIT_FAILED: {
    exit: 4,
    domain: 'external',
    about: 'a partition could not be announced, retries included; its rows are visible',
  },
  TABLE_UNSUITABLE: {
    exit: 4,
    domain: 'external',
    about:
      'the table log in the lake is damaged, or of a protocol or schema that the job cannot write; its rows are visible as files',
  },
  TABLE_BUSY: {
    exit: 4,
    domain: 'external',
    about:
      'other writers of the table were always quicker; the rows are visible as files, and the next start adds them',
  },
  STATE_CORRUPT: { exit: 5, domain: 'external', about: 'stored state is torn, altered or missing a piece' },
  STATE_VERSION: {
    exit: 5,
    domain: 'user',
    about: 'stored state is of a version this program does not know',
  },
  LAKE_MISSING: {
    exit: 4,
    domain: 'external',
    about:
      'the job has written parts, and its lake is not there: a disk that is not mounted, or a folder that was removed',
  },
  STATE_MISSING: { exit: 5, domain: 'external', about: 'the lake knows this job, and its state is gone' },
  PART_MISSING: { exit: 5, domain: 'external', about: 'a part that a checkpoint promised is gone' },
  JOB_RUNNING: { exit: 6, domain: 'user', about: 'another process runs this job' },
  FENCED: {
    exit: 6,
    domain: 'external',
    about: 'another process has written a newer checkpoint of this job',
  },
  SHUTDOWN_TIMEOUT: { exit: 4, domain: 'external', about: 'stopping took longer than shutdown_timeout' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

export interface ErrorOptions {
  /** What to do about it. */
  readonly hint?: string;
  /** Facts for machines: paths, offsets, columns. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Whether the same call may succeed later. */
  readonly retryable?: boolean;
}

/** That are kept and told. */
const MAX_CAUSES = 8;

export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }

  get exitCode(): number {
    return this.#kind.exit;
  }

  get domain(): ErrorDomain {
    return this.#kind.domain;
  }

  /** A module of a user's may know codes that we do not. */
  get #kind(): ErrorKind {
    return ERROR_KINDS[this.code] ?? ERROR_KINDS.INTERNAL;
  }

  /** What led to it, the nearest first. */
  get causes(): unknown[] {
    const causes: unknown[] = [];
    let cause: unknown = this.cause;
    while (cause !== undefined && cause !== null && causes.length < MAX_CAUSES) {
      causes.push(cause);
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    return causes;
  }

  /** The plain shape of `--json`. */
  toJSON(): ErrorDocument {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      details: this.details,
    };
  }

  /** The plain shape that crosses a thread: where and why it was thrown included. */
  toMessage(): ErrorMessage {
    return {
      ...this.toJSON(),
      retryable: this.retryable,
      stack: stackOf(this),
      causes: this.causes.map(stackOf),
    };
  }

  static fromMessage({ code, message, hint, details, retryable, stack, causes }: ErrorMessage): SluiceError {
    const cause = causes.reduceRight<Error | undefined>((inner, outer) => withStack(outer, inner), undefined);
    const error = new SluiceError(code, message, {
      ...(hint === undefined ? {} : { hint }),
      details,
      retryable,
      ...(cause === undefined ? {} : { cause }),
    });
    error.stack = stack;
    return error;
  }

  /** Whatever was thrown, as an error with a code: anything unknown is a bug of ours and keeps its cause. */
  static from(thrown: unknown): SluiceError {
    if (thrown instanceof SluiceError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SluiceError('INTERNAL', message, {
      cause: thrown,
      hint: 'this is a bug in sluice: please report it with the output of --verbose',
    });
  }
}

export interface ErrorDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ErrorMessage extends ErrorDocument {
  readonly retryable: boolean;
  readonly stack: string;
  /** Stacks, the nearest first. */
  readonly causes: readonly string[];
}

/** For `--verbose`: where something was thrown, or what it was where it was no error. */
export function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** An error of another thread, as far as it matters here. */
function withStack(stack: string, cause: Error | undefined): Error {
  const error = new Error(stack.split('\n', 1)[0], cause === undefined ? undefined : { cause });
  error.stack = stack;
  return error;
}

/** Marks the branch that a switch over a union must not reach. */
export function unreachable(value: never): never {
  throw new SluiceError('INTERNAL', `unexpected value ${JSON.stringify(value)}`);
}

/** Of what nobody awaits: ends the thread with the error, whatever `--unhandled-rejections` says. */
export function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
