/** What the AWS SDK throws, as SluiceErrors: the one place where it is classified. Nothing of a request gets into them. */
import { type ErrorCode, SluiceError } from '../../core/errors.ts';

interface Kind {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
}

const MANUAL = 'docs/object-store.md lists the permissions that sluice needs';
const DENIED: Kind = { code: 'ACCESS_DENIED', hint: MANUAL, retryable: false };
const WRONG_KEYS: Kind = {
  code: 'ACCESS_DENIED',
  hint: 'check the credentials: environment, shared files (s3.profile), web identity or the role of the machine',
  retryable: false,
};
const BUSY: Kind = {
  code: 'STORAGE_FAILED',
  hint: 'the object store is busy or down, and was so for longer than s3.retry_timeout; nothing is lost: start again',
  retryable: true,
};
const UNREACHABLE: Kind = {
  code: 'STORAGE_FAILED',
  hint: 'check the network and s3.endpoint; nothing is lost: start again',
  retryable: true,
};
const ELSEWHERE: Kind = {
  code: 'STORAGE_FAILED',
  hint: 'the bucket is in another region: set s3.region',
  retryable: false,
};

const NO_REGION: Kind = {
  code: 'STORAGE_FAILED',
  hint: 'set s3.region, or AWS_REGION in the environment',
  retryable: false,
};

/** By the error's name, which is the server's code where it sent one. */
const KINDS: Readonly<Record<string, Kind>> = {
  NoSuchBucket: {
    code: 'NOT_FOUND',
    hint: 'the bucket does not exist there: check its name, s3.endpoint and s3.region',
    retryable: false,
  },
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  InvalidAccessKeyId: WRONG_KEYS,
  SignatureDoesNotMatch: WRONG_KEYS,
  InvalidToken: WRONG_KEYS,
  CredentialsProviderError: WRONG_KEYS,
  TokenProviderError: WRONG_KEYS,
  ExpiredToken: {
    ...WRONG_KEYS,
    hint: 'the credentials have expired and the SDK finds no newer ones: renew them, or use a source that renews itself',
  },
  RequestTimeTooSkewed: {
    code: 'ACCESS_DENIED',
    hint: "set this machine's clock: it is more than 15 minutes off",
    retryable: false,
  },
  PermanentRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  NotImplemented: {
    code: 'STORAGE_FAILED',
    hint: 'the server does not know what was asked of it: see the table of servers in docs/object-store.md',
    retryable: false,
  },
  QuotaExceeded: { code: 'DISK_FULL', hint: 'raise the quota of the bucket', retryable: true },
  XMinioStorageFull: { code: 'DISK_FULL', hint: 'the server has no space left', retryable: true },
  // In transit: the same bytes may arrive well the next time.
  BadDigest: UNREACHABLE,
  XAmzContentChecksumMismatch: UNREACHABLE,
  IncompleteBody: UNREACHABLE,
  RequestTimeout: BUSY,
  SlowDown: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  TooManyRequests: BUSY,
  ServiceUnavailable: BUSY,
  InternalError: BUSY,
  OperationAborted: BUSY,
  ConditionalRequestConflict: BUSY,
};

/** Codes of node and the SDK for a connection that failed. */
const CONNECTION =
  /^(E(CONNRESET|CONNREFUSED|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)|ENOTFOUND|TimeoutError|AbortError|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/;

/** What the server, or the SDK, calls an error; '' where it does not say. */
export function errorName(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : '';
}

/** HTTP status of an error that a server sent; 0 where none did. */
export function httpStatus(thrown: unknown): number {
  if (typeof thrown !== 'object' || thrown === null || !('$metadata' in thrown)) return 0;
  const { $metadata: metadata } = thrown;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0;
  return Number(metadata.httpStatusCode);
}

/** @param what what was tried, and on what: `cannot read s3://bucket/key` */
export function objectStoreError(what: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const name = errorName(thrown);
  const status = httpStatus(thrown);
  const { code, hint, retryable } = kindOf(thrown, name, status);
  const said = [name === 'Error' ? '' : name, status === 0 ? '' : `status ${status}`].filter((x) => x !== '');
  const why = whyOf(thrown);
  return new SluiceError(
    code,
    `${what}: ${why}${said.length === 0 || why.includes(name) ? '' : ` (${said.join(', ')})`}`,
    {
      hint,
      retryable,
      details: { server: name, status },
      cause: thrown,
    },
  );
}

function kindOf(thrown: unknown, name: string, status: number): Kind {
  const known = KINDS[name];
  if (known !== undefined) return known;
  // The SDK's configuration throws them, without a name or a code.
  if (thrown instanceof Error && /^Region (?:is missing|not accepted)/.test(thrown.message)) return NO_REGION;
  // A request needs no files: these hold a token or keys.
  if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'EACCES'))
    return WRONG_KEYS;
  if (isConnectionError(thrown)) return UNREACHABLE;
  if (status === 301 || status === 307) return ELSEWHERE;
  if (status === 403 || status === 401) return DENIED;
  if (status >= 500 || status === 429 || status === 408 || status === 409) return BUSY;
  // An answer that was cut off, or is not XML at all.
  if (name === 'SyntaxError' || (status >= 200 && status < 300)) return UNREACHABLE;
  if (status >= 400)
    return { code: 'STORAGE_FAILED', hint: 'the server refuses this for good', retryable: false };
  return UNREACHABLE;
}

export function isConnectionError(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  if (CONNECTION.test(code) || CONNECTION.test(thrown.name)) return true;
  return thrown instanceof AggregateError && thrown.errors.some(isConnectionError);
}

function whyOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '')
    return thrown.errors.map(whyOf).join('; ').slice(0, 500);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // The SDK adds advice for developers behind the first line.
  const line = text.split('\n', 1)[0] ?? '';
  return line === '' || line === 'UnknownError' ? 'the server gave no reason' : line.slice(0, 500);
}
