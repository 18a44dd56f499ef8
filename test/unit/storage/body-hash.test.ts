import { createHash } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { hashBodiesElsewhere } from '../../../lib/storage/s3/body-hash.ts';

const HEADER = 'x-amz-content-sha256';

/** The headers that a body is sent with. The request goes nowhere. */
async function headersOf(
  body: Uint8Array,
  prepare: (client: S3Client) => void,
): Promise<Readonly<Record<string, string>>> {
  let sent: Readonly<Record<string, string>> = {};
  const client = new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    requestHandler: {
      handle: async (request: { headers: Record<string, string> }) => {
        sent = request.headers;
        return { response: { statusCode: 200, headers: {} } };
      },
    },
  });
  prepare(client);
  await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: body }));
  return sent;
}

test.each([0, 1, 256 * 1024 - 1, 256 * 1024, 8 * 1024 * 1024])(
  'a body of %i bytes is signed as the SDK signs it',
  async (length) => {
    const body = new Uint8Array(length).fill(7);
    const ours = await headersOf(body, hashBodiesElsewhere);
    const plain = await headersOf(body, () => {});
    expect(ours[HEADER]).toBe(createHash('sha256').update(body).digest('hex'));
    expect(ours[HEADER]).toBe(plain[HEADER]);
    expect(signedHeaders(ours)).toBe(signedHeaders(plain));
  },
);

function signedHeaders({ authorization = '' }: Readonly<Record<string, string>>): string | undefined {
  return /SignedHeaders=([^,]+)/.exec(authorization)?.[1];
}
