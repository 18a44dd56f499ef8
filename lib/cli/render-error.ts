/** Errors, for people and for machines: the code, what failed and why, what to do. */
import { ERROR_KINDS, type SluiceError, stackOf } from '../core/errors.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/**
 *     error JOB_INVALID job.yaml has a problem:
 *       line 3, column 5: unknown key ...
 *     → what to do
 */
export function renderError(error: SluiceError, verbose: boolean, style: Style): string {
  const lines = [`${style.red(style.bold(`error ${error.code}`))} ${printable(error.message)}`];
  if (error.hint !== undefined) lines.push(`${style.green('→')} ${printable(error.hint)}`);
  if (verbose) {
    const details = Object.entries(error.details).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
    lines.push(...details.map(printable), style.dim(printable(stackOf(error))));
    for (const cause of error.causes) lines.push(style.dim(printable(`caused by ${stackOf(cause)}`)));
  }
  return lines.join('\n');
}

export function errorDocument(error: SluiceError, verbose: boolean): { readonly error: object } {
  const { exit, domain } = ERROR_KINDS[error.code];
  return {
    error: {
      ...error.toJSON(),
      exit,
      domain,
      retryable: error.retryable,
      ...(verbose ? { stack: stackOf(error), causes: error.causes.map(stackOf) } : {}),
    },
  };
}
