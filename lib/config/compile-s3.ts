/** The `s3` section compiled, and what the AWS environment variables add to it. Credentials are none of our business. */
import { DEFAULT_S3, type S3Spec } from '../core/specs.ts';
import type { Environment } from './environment.ts';
import type { ValidatedJob } from './job-definition.ts';

export function compileS3(
  s3: ValidatedJob['s3'],
  environment: Environment,
  absolute: (given: string) => string,
): S3Spec {
  const { endpoint, region } = surroundings(s3.endpoint ?? null, s3.region ?? null, environment);
  return {
    endpoint,
    region,
    pathStyle: s3.path_style ?? endpoint !== null,
    profile: s3.profile ?? null,
    requesterPays: s3.requester_pays,
    checksum: s3.checksum,
    conditionalWrites: s3.conditional_writes,
    partBytes: s3.part_bytes,
    concurrentUploads: s3.concurrent_uploads,
    encryption: s3.encryption,
    kmsKey: s3.kms_key ?? null,
    storageClass: s3.storage_class ?? null,
    tags: s3.tags,
    requestTimeoutMs: s3.request_timeout,
    retryTimeoutMs: s3.retry_timeout,
    spoolFolder: s3.spool === undefined ? null : absolute(s3.spool),
  };
}

/** For commands that have no job file. */
export function s3FromEnvironment(environment: Environment): S3Spec {
  const { endpoint, region } = surroundings(null, null, environment);
  return { ...DEFAULT_S3, endpoint, region, pathStyle: endpoint !== null };
}

/** Servers other than Amazon's have no regions to speak of, and the SDK insists on one. */
function surroundings(
  endpoint: string | null,
  region: string | null,
  environment: Environment,
): Pick<S3Spec, 'endpoint' | 'region'> {
  const given = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  const server = endpoint ?? given('AWS_ENDPOINT_URL_S3') ?? given('AWS_ENDPOINT_URL') ?? null;
  return {
    endpoint: server,
    region:
      region ?? given('AWS_REGION') ?? given('AWS_DEFAULT_REGION') ?? (server === null ? null : 'us-east-1'),
  };
}
