/** The client of the AWS SDK: connections, time limits, and where credentials come from. */
import '../sdk-notice.ts';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Spec } from '../../core/specs.ts';
import { hashBodiesElsewhere } from './body-hash.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_SOCKETS = 64;

export function createClient(spec: S3Spec): S3Client {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const silent = () => {};
  const config: S3ClientConfig = {
    forcePathStyle: spec.pathStyle,
    // Requests are repeated by retrying-object-store.ts, which knows which of them may be.
    maxAttempts: 1,
    requestChecksumCalculation: spec.checksum === 'crc32' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    // Of whole objects only, and computed in JavaScript: ranges have none, and compressed files their own.
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: true,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: spec.requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: spec.requestTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
  if (spec.endpoint !== null) config.endpoint = spec.endpoint;
  if (spec.region !== null) config.region = spec.region;
  if (spec.profile !== null) config.profile = spec.profile;
  const client = new S3Client(config);
  hashBodiesElsewhere(client);
  return client;
}
