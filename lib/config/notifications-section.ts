/** The keys of `source.notifications` in a job file. Descriptions and defaults stand here and nowhere else. */
import * as z from 'zod';
import type { NotificationSpec } from '../core/specs.ts';
import { byType, matching, section, text } from './options.ts';

/** `host:port`, `[::1]:port`. */
const LISTEN = /^(?:\[([0-9a-f:.]+)\]|([0-9A-Za-z.-]+)):(\d{1,5})$/;
const QUEUE_URL = /^https?:\/\/[^\s/@]+\/\S+$/;

const http = section({
  type: z.literal('http').describe('an endpoint of this program, to which a server such as MinIO posts'),
  listen: matching(LISTEN, 'host:port')
    .refine((value) => listenAddress(value).port <= 65_535, { error: 'expected a port up to 65535' })
    .prefault('127.0.0.1:8089')
    .describe('where it listens; other than loopback only with a `token`'),
  token: text('a token')
    .optional()
    .describe('what senders have to say: `Authorization: Bearer <token>`; take it from the environment'),
});

const sqs = section({
  type: z.literal('sqs').describe("a queue to which the bucket's events go, for this job alone"),
  queue_url: matching(QUEUE_URL, 'the URL of a queue').describe('the queue'),
  endpoint: matching(/^https?:\/\/[^\s/@]+\/?$/, 'http://host:port or https://host')
    .optional()
    .describe('server; default: that of `queue_url`'),
  region: text('a region').optional().describe('default: as in `queue_url`, or that of `s3`'),
});

export const notificationsSection = byType([http, sqs], ['http', 'sqs'])
  .optional()
  .describe(
    '`run`, objects only: messages about new objects, which are looked at at once; the listing stays the truth, and may be rarer',
  );

export function compileNotifications(
  given: z.infer<typeof notificationsSection>,
  s3: { readonly region: string | null; readonly profile: string | null },
): NotificationSpec | null {
  if (given === undefined) return null;
  if (given.type === 'http')
    return { type: 'http', ...listenAddress(given.listen), token: given.token ?? null };
  const { queue_url: queueUrl, endpoint = null, region = null } = given;
  const named = /^https?:\/\/sqs\.([a-z0-9-]+)\./.exec(queueUrl)?.[1] ?? null;
  return { type: 'sqs', queueUrl, endpoint, region: region ?? named ?? s3.region, profile: s3.profile };
}

function listenAddress(listen: string): { host: string; port: number } {
  const [, ipv6, host = '', port = ''] = LISTEN.exec(listen) ?? [];
  return { host: ipv6 ?? host, port: Number(port) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
