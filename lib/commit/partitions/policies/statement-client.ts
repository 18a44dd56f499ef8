/** Runs statements on Trino or Presto: POST the SQL, follow `nextUri` until there is none. */
import { type Clock, sleep } from '../../../core/clock.ts';

export interface StatementTarget {
  readonly engine: 'trino' | 'presto';
  /** Of the coordinator, `http://host:8080`. */
  readonly url: string;
  readonly user: string;
  readonly catalog: string;
  readonly schema: string;
  /** Sent with each request: authentication. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole statement. */
  readonly timeoutMs: number;
}

interface StatementResult {
  readonly nextUri?: string;
  readonly error?: { readonly errorName?: string; readonly message?: string };
}

const BUSY_PAUSE_MS = 200;
/** Answers of a statement: a CALL has a handful. */
const MAX_PAGES = 10_000;

/** @throws Error what the engine says, or that it cannot be reached or takes too long */
export async function runStatement(
  target: StatementTarget,
  sql: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const prefix = target.engine === 'trino' ? 'X-Trino-' : 'X-Presto-';
  const headers = {
    [`${prefix}User`]: target.user,
    [`${prefix}Source`]: 'sluice',
    [`${prefix}Catalog`]: target.catalog,
    [`${prefix}Schema`]: target.schema,
    ...target.headers,
  };
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)]);
  const call = async (url: string, init: RequestInit): Promise<StatementResult> => {
    for (;;) {
      const response = await fetch(url, { ...init, headers, signal: deadline });
      // "Try again": the engine's own way to say that it is busy.
      if (response.status === 503) {
        await response.body?.cancel();
        await sleep(clock, BUSY_PAUSE_MS);
        deadline.throwIfAborted();
        continue;
      }
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 300)}`);
      return JSON.parse(text) as StatementResult;
    }
  };
  let result = await call(`${target.url.replace(/\/+$/, '')}/v1/statement`, { method: 'POST', body: sql });
  for (let page = 0; page < MAX_PAGES; page++) {
    if (result.error !== undefined)
      throw new Error(`${result.error.errorName ?? 'error'}: ${result.error.message ?? 'no message'}`);
    if (result.nextUri === undefined) return;
    result = await call(result.nextUri, { method: 'GET' });
  }
  throw new Error(`the statement has more than ${MAX_PAGES} pages of answers`);
}

/** A text in single quotes. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
