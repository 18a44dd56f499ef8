/** The keys of `s3` in a job file. Descriptions and defaults stand here and nowhere else. */
import * as z from 'zod';
import { GIB, MIB } from './bounds.ts';
import { choice, duration, flag, integer, matching, path, section, size, text } from './options.ts';

/** S3 takes 5 GiB; memory is taken for several, and node reads and writes less than 2 GiB at a time. */
const MAX_PART_BYTES = GIB;

export const s3Section = section({
  endpoint: matching(/^https?:\/\/[^\s/@]+\/?$/, 'http://host:port or https://host')
    .optional()
    .describe('server; default: Amazon, or the environment variable AWS_ENDPOINT_URL_S3'),
  region: text('a region').optional().describe('default: as the AWS SDK finds it (AWS_REGION, shared files)'),
  path_style: flag()
    .optional()
    .describe("whether the bucket's name stands in the path; default: true where there is an endpoint"),
  profile: text('a name')
    .optional()
    .describe('of the shared AWS files; default: the usual chain (environment, web identity, role ...)'),
  requester_pays: flag().prefault(false).describe('whether this side pays for requests to such buckets'),
  checksum: choice(['crc32', 'none'])
    .prefault('crc32')
    .describe('what uploads carry to prove that they arrived whole; `none` for servers that refuse it'),
  conditional_writes: flag()
    .prefault(true)
    .describe(
      'whether the server has If-None-Match; `false` looks beforehand, and rules out `state` and `table: delta` there',
    ),
  part_bytes: size(5 * MIB, MAX_PART_BYTES)
    .prefault('8MiB')
    .describe('size of the pieces of an upload; 1GiB at most'),
  concurrent_uploads: integer(1, 64)
    .prefault(4)
    .describe(
      'pieces under way at once, a subtask; each takes `part_bytes` of memory beside `memory`, twice that while it is hashed; what waits takes it once',
    ),
  encryption: choice(['none', 'AES256', 'aws:kms'])
    .prefault('none')
    .describe('asked of the server (SSE); `none`: what the bucket is set to'),
  kms_key: text('a key id').optional().describe('for `aws:kms`; default: the key of the account'),
  storage_class: matching(/^[A-Z0-9_]{1,64}$/, 'a storage class such as STANDARD_IA')
    .optional()
    .describe('of finished parts'),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256), { error: 'expected keys and values' })
    .prefault({})
    .register(z.globalRegistry, { title: 'keys and values' })
    .describe('of finished parts'),
  request_timeout: duration(100).prefault('60s').describe('how long one request may take'),
  retry_timeout: duration(0)
    .prefault('2m')
    .describe('how long a failing request is repeated before the job stops (exit 4)'),
  spool: path()
    .optional()
    .describe("local folder for what waits to be uploaded; default: the system's temporary folder"),
});
