/** The ObjectStore that the AWS SDK gives. Loaded only when an s3:// path is used: the SDK takes half a second. */
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { SluiceError } from '../../core/errors.ts';
import { s3Location } from '../../core/location.ts';
import type { S3Spec } from '../../core/specs.ts';
import { errorName, httpStatus, objectStoreError } from './errors.ts';
import type {
  CompleteAnswer,
  GetAnswer,
  GetRequest,
  ListPage,
  ListRequest,
  ObjectHead,
  ObjectRef,
  ObjectStore,
  PutOptions,
  UploadedPart,
  UploadPage,
} from './object-store.ts';
import { createClient } from './sdk-client.ts';
import { uploadGone } from './upload-gone.ts';
import { whole } from './whole-answer.ts';

/** Pages of a listing of parts: 10 hold as many as an upload may have. */
const MAX_PART_PAGES = 12;
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);

export function sdkObjectStore(spec: S3Spec): ObjectStore {
  return new SdkObjectStore(spec);
}

class SdkObjectStore implements ObjectStore {
  readonly #spec: S3Spec;
  #client: S3Client;

  constructor(spec: S3Spec) {
    this.#spec = spec;
    this.#client = createClient(spec);
  }

  async list(request: ListRequest): Promise<ListPage> {
    const { bucket, prefix, delimiter, startAfter, continuation, maxKeys } = request;
    const answer = await this.#call(`cannot list ${s3Location({ bucket, key: prefix })}`, () =>
      this.#client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          Delimiter: delimiter,
          // A continuation goes on behind it by itself, and some servers stumble over both.
          StartAfter: continuation === undefined ? startAfter : undefined,
          ContinuationToken: continuation,
          MaxKeys: maxKeys,
          ...this.#payer(),
        }),
      ),
    );
    whole(`the listing of ${s3Location({ bucket, key: prefix })}`, answer.Name ?? answer.KeyCount);
    const contents = answer.Contents ?? [];
    return {
      objects: contents.map((each) => ({
        key: each.Key ?? '',
        sizeBytes: each.Size ?? 0,
        etag: each.ETag ?? '',
        modifiedMs: each.LastModified?.getTime() ?? 0,
      })),
      any: contents.length > 0 || (answer.CommonPrefixes ?? []).length > 0,
      continuation: answer.IsTruncated === true ? (answer.NextContinuationToken ?? null) : null,
    };
  }

  async head(ref: ObjectRef): Promise<ObjectHead | null> {
    return this.#call(
      `cannot look at ${s3Location(ref)}`,
      async () => {
        const answer = await this.#client.send(
          new HeadObjectCommand({ Bucket: ref.bucket, Key: ref.key, ...this.#payer() }),
        );
        return {
          sizeBytes: answer.ContentLength ?? 0,
          etag: whole(s3Location(ref), answer.ETag),
          modifiedMs: answer.LastModified?.getTime() ?? 0,
          metadata: answer.Metadata ?? {},
        };
      },
      (_name, status) => (status === 404 ? null : undefined),
    );
  }

  async get(ref: ObjectRef, { from, to, ifMatch }: GetRequest): Promise<GetAnswer> {
    return this.#call<GetAnswer>(
      `cannot read ${s3Location(ref)}`,
      async () => {
        const cancel = new AbortController();
        const answer = await this.#client.send(
          new GetObjectCommand({
            Bucket: ref.bucket,
            Key: ref.key,
            Range: from === 0 && to === null ? undefined : `bytes=${from}-${to === null ? '' : to - 1}`,
            IfMatch: ifMatch ?? undefined,
            ...this.#payer(),
          }),
          { abortSignal: cancel.signal },
        );
        const body = whole(s3Location(ref), answer.Body);
        const etag = whole(s3Location(ref), answer.ETag);
        if (!(Symbol.asyncIterator in body))
          throw new SluiceError('INTERNAL', 'the SDK gives a body that cannot be read piece by piece');
        const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
        return {
          etag,
          objectBytes: total === undefined ? (answer.ContentLength ?? 0) : Number(total),
          chunks: body,
          cancel: () => {
            if ('destroy' in body) body.destroy();
            cancel.abort();
          },
        };
      },
      (name, status) => {
        if (status === 412) return 'changed';
        if (status === 416) return 'empty';
        return status === 404 && name !== 'NoSuchBucket' ? 'missing' : undefined;
      },
    );
  }

  async put(ref: ObjectRef, bytes: Uint8Array, options: PutOptions): Promise<boolean> {
    return this.#call(
      `cannot write ${s3Location(ref)}`,
      async () => {
        const answer = await this.#client.send(
          new PutObjectCommand({
            Bucket: ref.bucket,
            Key: ref.key,
            Body: bytes,
            ContentLength: bytes.length,
            Metadata: { ...options.metadata },
            ...(this.#spec.checksum === 'crc32' ? { ChecksumCRC32: crc32Text(bytes) } : {}),
            ...(options.ifAbsent ? { IfNoneMatch: '*' } : {}),
            ...(options.final ? this.#finalOptions() : {}),
            ...this.#encryption(),
            ...this.#payer(),
          }),
        );
        whole(s3Location(ref), answer.ETag);
        return true;
      },
      (_name, status) => (status === 412 ? false : undefined),
    );
  }

  async remove(bucket: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const what = `cannot delete ${s3Location({ bucket, key: keys[0]! })}${keys.length > 1 ? ` and ${keys.length - 1} others` : ''}`;
    const answer = await this.#call(what, () =>
      this.#client.send(
        new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: { Objects: keys.map((key) => ({ Key: key })), Quiet: true },
          ...this.#payer(),
        }),
      ),
    );
    const failed = answer.Errors?.find(({ Code: code }) => code !== 'NoSuchKey');
    if (failed === undefined) return;
    const error = Object.assign(new Error(failed.Message ?? ''), { name: failed.Code ?? 'Error' });
    throw objectStoreError(`cannot delete ${s3Location({ bucket, key: failed.Key ?? '' })}`, error);
  }

  async createUpload(ref: ObjectRef, metadata: Readonly<Record<string, string>>): Promise<string> {
    const answer = await this.#call(`cannot begin the upload of ${s3Location(ref)}`, () =>
      this.#client.send(
        new CreateMultipartUploadCommand({
          Bucket: ref.bucket,
          Key: ref.key,
          Metadata: { ...metadata },
          ...(this.#spec.checksum === 'crc32' ? { ChecksumAlgorithm: 'CRC32' } : {}),
          ...this.#finalOptions(),
          ...this.#encryption(),
          ...this.#payer(),
        }),
      ),
    );
    return whole(`the upload of ${s3Location(ref)}`, answer.UploadId);
  }

  async uploadPart(
    ref: ObjectRef,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
  ): Promise<UploadedPart> {
    const checksum = this.#spec.checksum === 'crc32' ? crc32Text(bytes) : null;
    return this.#call(
      `cannot upload piece ${number} of ${s3Location(ref)}`,
      async () => {
        const answer = await this.#client.send(
          new UploadPartCommand({
            Bucket: ref.bucket,
            Key: ref.key,
            UploadId: uploadId,
            PartNumber: number,
            Body: bytes,
            ContentLength: bytes.length,
            ...(checksum === null ? {} : { ChecksumCRC32: checksum }),
            ...this.#payer(),
          }),
        );
        return { number, etag: whole(s3Location(ref), answer.ETag), crc32: checksum };
      },
      (name) => {
        if (name !== 'NoSuchUpload') return undefined;
        throw uploadGone(ref);
      },
    );
  }

  async listParts(ref: ObjectRef, uploadId: string): Promise<readonly UploadedPart[] | null> {
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    for (let page = 0; page < MAX_PART_PAGES; page++) {
      const answer = await this.#call(
        `cannot list what is uploaded of ${s3Location(ref)}`,
        () =>
          this.#client.send(
            new ListPartsCommand({
              Bucket: ref.bucket,
              Key: ref.key,
              UploadId: uploadId,
              PartNumberMarker: marker,
              ...this.#payer(),
            }),
          ),
        (name, status) => (name === 'NoSuchUpload' || status === 404 ? null : undefined),
      );
      if (answer === null) return null;
      whole(`the list of what is uploaded of ${s3Location(ref)}`, answer.UploadId);
      for (const part of answer.Parts ?? [])
        parts.push({
          number: part.PartNumber ?? 0,
          etag: part.ETag ?? '',
          crc32: part.ChecksumCRC32 ?? null,
        });
      if (answer.IsTruncated !== true || answer.NextPartNumberMarker === undefined) break;
      marker = answer.NextPartNumberMarker;
    }
    return parts;
  }

  async completeUpload(
    ref: ObjectRef,
    uploadId: string,
    parts: readonly UploadedPart[],
    ifAbsent: boolean,
  ): Promise<CompleteAnswer> {
    return this.#call<CompleteAnswer>(
      `cannot complete ${s3Location(ref)}`,
      async () => {
        await this.#client.send(
          new CompleteMultipartUploadCommand({
            Bucket: ref.bucket,
            Key: ref.key,
            UploadId: uploadId,
            MultipartUpload: {
              Parts: parts.map(({ number, etag, crc32: checksum }) => ({
                PartNumber: number,
                ETag: etag,
                ...(checksum === null ? {} : { ChecksumCRC32: checksum }),
              })),
            },
            ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
            ...this.#payer(),
          }),
        );
        return 'completed';
      },
      (name, status) => {
        if (name === 'NoSuchUpload' || (status === 404 && name !== 'NoSuchBucket')) return 'gone';
        if (name === 'InvalidPart' || name === 'InvalidPartOrder') return 'refused';
        return status === 412 ? 'exists' : undefined;
      },
    );
  }

  async abortUpload(ref: ObjectRef, uploadId: string): Promise<void> {
    await this.#call<unknown>(
      `cannot abort the upload of ${s3Location(ref)}`,
      () =>
        this.#client.send(
          new AbortMultipartUploadCommand({
            Bucket: ref.bucket,
            Key: ref.key,
            UploadId: uploadId,
            ...this.#payer(),
          }),
        ),
      (name, status) => (name === 'NoSuchUpload' || status === 404 ? null : undefined),
    );
  }

  async listUploads(bucket: string, prefix: string, keyMarker: string | null): Promise<UploadPage> {
    const answer = await this.#call(`cannot list the uploads of ${s3Location({ bucket, key: prefix })}`, () =>
      this.#client.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          KeyMarker: keyMarker ?? undefined,
          ...this.#payer(),
        }),
      ),
    );
    whole(`the list of the uploads of ${s3Location({ bucket, key: prefix })}`, answer.Bucket);
    return {
      uploads: (answer.Uploads ?? []).map((each) => ({
        key: each.Key ?? '',
        uploadId: each.UploadId ?? '',
        startedMs: each.Initiated?.getTime() ?? 0,
      })),
      keyMarker: answer.IsTruncated === true ? (answer.NextKeyMarker ?? null) : null,
    };
  }

  close(): void {
    this.#client.destroy();
  }

  /** @param known answers that are not errors: a value for an error's name and status, undefined where it is one */
  async #call<T>(
    what: string,
    send: () => Promise<T>,
    known: (name: string, status: number) => T | undefined = () => undefined,
  ): Promise<T> {
    try {
      return await send();
    } catch (thrown) {
      const name = errorName(thrown);
      const answer = known(name, httpStatus(thrown));
      if (answer !== undefined) return answer;
      if (!EXPIRED.has(name)) throw objectStoreError(what, thrown);
      // A new client asks its sources for credentials again; the old one would use up what it has kept.
      this.#client = createClient(this.#spec);
      const { message, hint, details } = objectStoreError(what, thrown);
      throw new SluiceError('ACCESS_DENIED', message, {
        ...(hint === undefined ? {} : { hint }),
        details: { ...details, server: 'ExpiredToken' },
        cause: thrown,
        retryable: true,
      });
    }
  }

  #payer(): { RequestPayer?: 'requester' } {
    return this.#spec.requesterPays ? { RequestPayer: 'requester' } : {};
  }

  #encryption(): { ServerSideEncryption?: 'AES256' | 'aws:kms'; SSEKMSKeyId?: string } {
    const { encryption, kmsKey } = this.#spec;
    if (encryption === 'none') return {};
    return { ServerSideEncryption: encryption, ...(kmsKey === null ? {} : { SSEKMSKeyId: kmsKey }) };
  }

  #finalOptions(): Pick<PutCommandInput, 'StorageClass' | 'Tagging'> {
    const { storageClass, tags } = this.#spec;
    const tagging = new URLSearchParams(tags).toString();
    return {
      ...(storageClass === null ? {} : { StorageClass: storageClass as StorageClass }),
      ...(tagging === '' ? {} : { Tagging: tagging }),
    };
  }
}

type PutCommandInput = ConstructorParameters<typeof PutObjectCommand>[0];
/** Servers have classes of their own; the SDK's list is Amazon's. */
type StorageClass = NonNullable<PutCommandInput['StorageClass']>;

function crc32Text(bytes: Uint8Array): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
}
