/**
 * A request is signed over the SHA-256 of its body, which for an upload takes as long as sending it to a server near by.
 * The SDK would hash in the thread that asks; large bodies are hashed in a thread of libuv's, so that rows go on meanwhile.
 * WebCrypto copies a body at the call: memory for it twice, for a moment, and its owner may reuse the buffer as before.
 */
import { webcrypto } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';

const HEADER = 'x-amz-content-sha256';
/** Below, handing it over takes longer than hashing it. */
const MIN_BYTES = 256 * 1024;

export function hashBodiesElsewhere(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body?: unknown };
      if (body instanceof Uint8Array && body.length >= MIN_BYTES)
        headers[HEADER] = Buffer.from(await webcrypto.subtle.digest('SHA-256', body)).toString('hex');
      return next(args);
    },
    // Before signing, which takes a hash that is there.
    { step: 'build', name: 'hashBodiesElsewhere' },
  );
}
