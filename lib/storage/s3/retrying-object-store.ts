/**
 * Repeats requests that failed in a way that may pass: lost connections, time-outs, 5xx, SlowDown. With growing, random
 * pauses, so that many clients do not come back together, and within a total time. What will not change (4xx) is not
 * repeated.
 *
 * A repeated request may have been applied before. All of them can be applied twice without harm but conditional ones,
 * whose second application is refused because of the first: whoever makes those looks for himself at what is there.
 */
import type { Clock } from '../../core/clock.ts';
import { sleep } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { ObjectStore } from './object-store.ts';

export interface RetryPolicy {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** From the first attempt to the last. */
  readonly timeoutMs: number;
  /** A request has failed several times and is tried once more. */
  readonly onPatience?: (error: SluiceError, attempts: number) => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;
/** One or two failures pass by themselves. */
const PATIENT_ATTEMPTS = 3;
/** Whoever has no newer credentials after these has none. */
const MAX_EXPIRED = 3;

/** @throws SluiceError the last failure, once it is not worth trying again */
export async function withRetries<T>(policy: RetryPolicy, attempt: () => Promise<T>): Promise<T> {
  const { clock, random, timeoutMs } = policy;
  const until = clock.elapsed() + timeoutMs;
  let expired = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.details.server === 'ExpiredToken') expired++;
      const pauseMs = pauseOf(attempts, random);
      if (!error.retryable || expired > MAX_EXPIRED || clock.elapsed() + pauseMs > until)
        throw afterAttempts(error, attempts);
      if (attempts >= PATIENT_ATTEMPTS) policy.onPatience?.(error, attempts);
      await sleep(clock, pauseMs);
    }
  }
}

/** "Full jitter": anything between nothing and a bound that doubles. */
export function pauseOf(attempts: number, random: () => number): number {
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20));
  return random() * bound;
}

function afterAttempts(error: SluiceError, attempts: number): SluiceError {
  if (attempts === 1) return error;
  return new SluiceError(error.code, `${error.message} (tried ${attempts} times)`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, attempts },
    cause: error.cause,
    retryable: error.retryable,
  });
}

/** The same store, patient. Completing an upload is not repeated: see publish.ts. */
export function retryingObjectStore(store: ObjectStore, policy: RetryPolicy): ObjectStore {
  const again = <T>(attempt: () => Promise<T>) => withRetries(policy, attempt);
  return {
    list: (request) => again(() => store.list(request)),
    head: (ref) => again(() => store.head(ref)),
    get: (ref, request) => again(() => store.get(ref, request)),
    put: (ref, bytes, options) => again(() => store.put(ref, bytes, options)),
    remove: (bucket, keys) => again(() => store.remove(bucket, keys)),
    createUpload: (ref, metadata) => again(() => store.createUpload(ref, metadata)),
    uploadPart: (ref, uploadId, number, bytes) => again(() => store.uploadPart(ref, uploadId, number, bytes)),
    listParts: (ref, uploadId) => again(() => store.listParts(ref, uploadId)),
    completeUpload: (ref, uploadId, parts, ifAbsent) => store.completeUpload(ref, uploadId, parts, ifAbsent),
    abortUpload: (ref, uploadId) => again(() => store.abortUpload(ref, uploadId)),
    listUploads: (bucket, prefix, keyMarker) => again(() => store.listUploads(bucket, prefix, keyMarker)),
    close: () => store.close(),
  };
}
