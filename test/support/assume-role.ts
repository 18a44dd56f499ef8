/** Credentials with fewer rights than those at hand: AssumeRole with a policy, as MinIO answers it on its own endpoint. */
import { createHash, createHmac } from 'node:crypto';
import type { S3Server } from './s3-servers.ts';

const REGION = 'us-east-1';
const DAY_S = 86_400;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** @returns the environment of a program with those credentials */
export async function assumeRole(server: S3Server, policy: object): Promise<Record<string, string>> {
  const { AWS_ACCESS_KEY_ID: keyId = '', AWS_SECRET_ACCESS_KEY: secret = '' } = server.env;
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    DurationSeconds: String(DAY_S),
    Policy: JSON.stringify(policy),
  }).toString();
  const { host } = new URL(server.endpoint);
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = at.slice(0, 8);
  const type = 'application/x-www-form-urlencoded';
  const names = 'content-type;host;x-amz-date';
  const headers = `content-type:${type}\nhost:${host}\nx-amz-date:${at}\n`;
  const request = ['POST', '/', '', headers, names, sha256(body)].join('\n');
  const scope = `${day}/${REGION}/sts/aws4_request`;
  const key = ['sts', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secret}`, day), REGION));
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(request)}`).toString('hex');
  const response = await fetch(server.endpoint, {
    method: 'POST',
    body,
    headers: {
      'Content-Type': type,
      'X-Amz-Date': at,
      Authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    },
  });
  const answer = await response.text();
  const field = (name: string) => {
    const value = new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1];
    if (value === undefined) throw new Error(`no ${name} in ${answer}`);
    return value;
  };
  return {
    AWS_ACCESS_KEY_ID: field('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: field('SecretAccessKey'),
    AWS_SESSION_TOKEN: field('SessionToken'),
  };
}
