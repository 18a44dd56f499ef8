// What a copy of bytes with the same SDK costs, as `aws s3 cp` does it: `node s3-plain-run.mjs <from> <to>`. From a local
// folder or s3://bucket/prefix to s3://bucket/prefix: object by object, in pieces of 8 MiB, four under way at once, with
// the SDK's defaults.
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

const PIECE_BYTES = 8 * 1024 * 1024;
const CONCURRENT = 4;

const [from, to] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true });

const files = from.startsWith('s3://') ? await objectsOf(place(from)) : await filesOf(from);
for (const file of files) await upload(file, place(`${to}/${file.name}`));
client.destroy();

async function upload({ sizeBytes, read, close }, target) {
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' }),
  );
  const parts = new Array(Math.ceil(sizeBytes / PIECE_BYTES));
  let next = 0;
  const work = async () => {
    for (let at = next++; at < parts.length; at = next++) {
      const Body = await read(at * PIECE_BYTES, Math.min(PIECE_BYTES, sizeBytes - at * PIECE_BYTES));
      const { ETag, ChecksumCRC32 } = await client.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber: at + 1, ChecksumAlgorithm: 'CRC32', Body }),
      );
      parts[at] = { PartNumber: at + 1, ETag, ChecksumCRC32 };
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  await client.send(
    new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }),
  );
  await close();
}

async function filesOf(folder) {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => {
      const handle = await open(path.join(folder, name));
      const { size } = await handle.stat();
      const read = async (offset, length) => {
        const bytes = Buffer.allocUnsafeSlow(length);
        await handle.read(bytes, 0, length, offset);
        return bytes;
      };
      return { name, sizeBytes: size, read, close: () => handle.close() };
    }),
  );
}

async function objectsOf({ Bucket, Key }) {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: `${Key}/` }));
  return Contents.map((object) => ({
    name: object.Key.slice(Key.length + 1),
    sizeBytes: object.Size,
    read: async (offset, length) => {
      const Range = `bytes=${offset}-${offset + length - 1}`;
      const { Body } = await client.send(
        new GetObjectCommand({ Bucket, Key: object.Key, Range, IfMatch: object.ETag }),
      );
      return Body.transformToByteArray();
    },
    close: async () => {},
  }));
}

function place(location) {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location);
  return { Bucket, Key };
}
