// What a copy of bytes with the same SDK costs: `node s3-plain-run.mjs <from> <to>`, from a local folder or
// s3://bucket/prefix to s3://bucket/prefix. In pieces of 8 MiB over all files, with the SDK's defaults; a file is completed
// while the next ones are under way.
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
/** Uploads under way, as a job's default is; where pieces are downloaded first, as many again do that. */
const CONCURRENT = 4;

const [from, to] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true });

const isDownload = from.startsWith('s3://');
const files = isDownload ? await objectsOf(place(from)) : await filesOf(from);
const pieces = files.flatMap((file) => piecesOf(file, place(`${to}/${file.name}`)));
const completed = [];
let next = 0;
const work = async () => {
  for (let at = next++; at < pieces.length; at = next++) await pieces[at]();
};
await Promise.all(Array.from({ length: isDownload ? CONCURRENT * 2 : CONCURRENT }, work));
await Promise.all(completed);
client.destroy();

function piecesOf({ sizeBytes, read, close }, target) {
  const parts = new Array(Math.ceil(sizeBytes / PIECE_BYTES));
  let begun = null;
  let left = parts.length;
  const begin = async () => {
    const create = new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' });
    return (await client.send(create)).UploadId;
  };
  const complete = async (UploadId) => {
    const MultipartUpload = { Parts: parts };
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
    await close();
  };
  return Array.from(parts, (_, at) => async () => {
    begun ??= begin();
    const UploadId = await begun;
    const Body = await read(at * PIECE_BYTES, Math.min(PIECE_BYTES, sizeBytes - at * PIECE_BYTES));
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...target, UploadId, PartNumber: at + 1, ChecksumAlgorithm: 'CRC32', Body }),
    );
    parts[at] = { PartNumber: at + 1, ETag, ChecksumCRC32 };
    left--;
    if (left === 0) completed.push(complete(UploadId));
  });
}

async function filesOf(folder) {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => {
      const handle = await open(path.join(folder, name));
      const { size } = await handle.stat();
      const read = async (offset, length) => {
        const bytes = Buffer.allocUnsafeSlow(length);
        const { bytesRead } = await handle.read(bytes, 0, length, offset);
        if (bytesRead !== length) throw new Error(`${name}: ${bytesRead} bytes of ${length}`);
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
