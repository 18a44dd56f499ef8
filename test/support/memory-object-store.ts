/**
 * An ObjectStore in memory, for tests: strict where S3 is strict, with the oddities of real servers on demand, and
 * requests that fail before or after they were applied.
 */
import { createHash } from 'node:crypto';
import { SluiceError } from '../../lib/core/errors.ts';
import { completedEtag } from '../../lib/storage/s3/etag.ts';
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
} from '../../lib/storage/s3/object-store.ts';
import { uploadGone } from '../../lib/storage/s3/upload-gone.ts';

export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedMs: number;
}

interface StoredUpload {
  readonly ref: ObjectRef;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, { bytes: Uint8Array; etag: string; crc32: string | null }>;
}

/** What happens to a request: `before` it is applied nothing is done, `after` it only its answer is lost. */
export interface RequestFault {
  readonly operation: keyof ObjectStore;
  readonly at: 'before' | 'after';
  /** Requests that still go well. */
  readonly skip?: number;
  readonly times?: number;
  readonly error?: Error;
}

const PAGE = 1000;
const CHUNK_BYTES = 7;

export class MemoryObjectStore implements ObjectStore {
  /** `bucket/key` -> object. */
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, StoredUpload>();
  readonly calls = new Map<keyof ObjectStore, number>();
  readonly #buckets = new Set<string>();
  /** As versitygw does: 200 for a Complete of an upload that is not there. */
  completesNothing = false;
  /** As servers without conditional writes do. */
  ignoresConditions = false;
  /** Bytes after which each body breaks, once for each entry. */
  readonly breaks: number[] = [];
  readonly #faults: { fault: RequestFault; skip: number; times: number }[] = [];
  #nextUpload = 1;
  #nowMs = 1_000_000;

  constructor(...buckets: string[]) {
    for (const bucket of buckets) this.#buckets.add(bucket);
  }

  fail(fault: RequestFault): void {
    this.#faults.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  plant(bucket: string, key: string, text: string): void {
    this.#store({ bucket, key }, Buffer.from(text), md5(Buffer.from(text)), {});
  }

  async list(request: ListRequest): Promise<ListPage> {
    return this.#run('list', request.bucket, () => {
      const { bucket, prefix, delimiter, startAfter, continuation, maxKeys = PAGE } = request;
      const after = continuation ?? startAfter ?? '';
      const keys = [...this.objects.keys()]
        .filter((name) => name.startsWith(`${bucket}/`))
        .map((name) => name.slice(bucket.length + 1))
        .filter((key) => key.startsWith(prefix))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const flat =
        delimiter === undefined ? keys : keys.filter((key) => !key.slice(prefix.length).includes('/'));
      const rest = flat.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
      const page = rest.slice(0, maxKeys);
      return {
        objects: page.map((key) => {
          const { bytes, etag, modifiedMs } = this.objects.get(`${bucket}/${key}`)!;
          return { key, sizeBytes: bytes.length, etag, modifiedMs };
        }),
        any: keys.length > 0,
        continuation: rest.length > page.length ? (page.at(-1) ?? null) : null,
      };
    });
  }

  async head(ref: ObjectRef): Promise<ObjectHead | null> {
    return this.#run('head', ref.bucket, () => {
      const object = this.objects.get(nameOf(ref));
      if (object === undefined) return null;
      const { bytes, etag, metadata, modifiedMs } = object;
      return { sizeBytes: bytes.length, etag, metadata, modifiedMs };
    });
  }

  async get(ref: ObjectRef, { from, to, ifMatch }: GetRequest): Promise<GetAnswer> {
    return this.#run('get', ref.bucket, () => {
      const object = this.objects.get(nameOf(ref));
      if (object === undefined) return 'missing';
      if (ifMatch !== null && ifMatch !== object.etag) return 'changed';
      if (from > 0 && from >= object.bytes.length) return 'empty';
      const bytes = object.bytes.slice(from, to ?? object.bytes.length);
      const breakAt = this.breaks.shift() ?? Number.POSITIVE_INFINITY;
      let cancelled = false;
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length && !cancelled; at += CHUNK_BYTES) {
          if (at >= breakAt) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
          yield bytes.slice(at, at + CHUNK_BYTES);
        }
      }
      return {
        etag: object.etag,
        objectBytes: object.bytes.length,
        chunks: chunks(),
        cancel: () => {
          cancelled = true;
        },
      };
    });
  }

  async put(ref: ObjectRef, bytes: Uint8Array, options: PutOptions): Promise<boolean> {
    return this.#run('put', ref.bucket, () => {
      if (options.ifAbsent && !this.ignoresConditions && this.objects.has(nameOf(ref))) return false;
      this.#store(ref, new Uint8Array(bytes), md5(bytes), options.metadata);
      return true;
    });
  }

  async remove(bucket: string, keys: readonly string[]): Promise<void> {
    if (keys.length > PAGE) throw new SluiceError('INTERNAL', 'more than 1,000 keys in one request');
    return this.#run('remove', bucket, () => {
      for (const key of keys) this.objects.delete(nameOf({ bucket, key }));
    });
  }

  async createUpload(ref: ObjectRef, metadata: Readonly<Record<string, string>>): Promise<string> {
    return this.#run('createUpload', ref.bucket, () => {
      const id = `upload-${this.#nextUpload++}`;
      this.uploads.set(id, { ref, metadata, parts: new Map() });
      return id;
    });
  }

  async uploadPart(
    ref: ObjectRef,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
  ): Promise<UploadedPart> {
    return this.#run('uploadPart', ref.bucket, () => {
      const upload = this.uploads.get(uploadId);
      if (upload === undefined) throw uploadGone(ref);
      const part = { bytes: new Uint8Array(bytes), etag: md5(bytes), crc32: `crc-${md5(bytes)}` };
      upload.parts.set(number, part);
      return { number, etag: part.etag, crc32: part.crc32 };
    });
  }

  async listParts(ref: ObjectRef, uploadId: string): Promise<readonly UploadedPart[] | null> {
    return this.#run('listParts', ref.bucket, () => {
      const upload = this.uploads.get(uploadId);
      if (upload === undefined) return null;
      return [...upload.parts]
        .sort(([a], [b]) => a - b)
        .map(([number, { etag, crc32 }]) => ({ number, etag, crc32 }));
    });
  }

  async completeUpload(
    ref: ObjectRef,
    uploadId: string,
    parts: readonly UploadedPart[],
    ifAbsent: boolean,
  ): Promise<CompleteAnswer> {
    return this.#run('completeUpload', ref.bucket, () => {
      const upload = this.uploads.get(uploadId);
      if (upload === undefined) return this.completesNothing ? 'completed' : 'gone';
      if (ifAbsent && !this.ignoresConditions && this.objects.has(nameOf(ref))) return 'exists';
      const pieces: Uint8Array[] = [];
      for (const [index, { number, etag, crc32 }] of parts.entries()) {
        const part = upload.parts.get(number);
        if (part === undefined || part.etag !== etag || part.crc32 !== crc32) return 'refused';
        if (index > 0 && number <= parts[index - 1]!.number) return 'refused';
        pieces.push(part.bytes);
      }
      this.#store(ref, Buffer.concat(pieces), completedEtag(parts) ?? '', upload.metadata);
      this.uploads.delete(uploadId);
      return 'completed';
    });
  }

  async abortUpload(ref: ObjectRef, uploadId: string): Promise<void> {
    return this.#run('abortUpload', ref.bucket, () => {
      this.uploads.delete(uploadId);
    });
  }

  async listUploads(bucket: string, prefix: string): Promise<UploadPage> {
    return this.#run('listUploads', bucket, () => ({
      uploads: [...this.uploads]
        .filter(([, { ref }]) => ref.bucket === bucket && ref.key.startsWith(prefix))
        .map(([uploadId, { ref }]) => ({ key: ref.key, uploadId, startedMs: 0 })),
      keyMarker: null,
    }));
  }

  close(): void {}

  #store(ref: ObjectRef, bytes: Uint8Array, etag: string, metadata: Readonly<Record<string, string>>): void {
    this.objects.set(nameOf(ref), { bytes, etag, metadata, modifiedMs: this.#nowMs++ });
  }

  async #run<T>(operation: keyof ObjectStore, bucket: string, apply: () => T): Promise<T> {
    this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1);
    // As over a network: whoever does not wait is overtaken.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#buckets.has(bucket))
      throw new SluiceError('NOT_FOUND', `the bucket ${bucket} does not exist`, {
        details: { server: 'NoSuchBucket' },
      });
    const fault = this.#nextFault(operation);
    if (fault?.at === 'before') throw errorOf(fault);
    const answer = apply();
    if (fault?.at === 'after') throw errorOf(fault);
    return answer;
  }

  #nextFault(operation: keyof ObjectStore): RequestFault | null {
    for (const each of this.#faults) {
      if (each.fault.operation !== operation || each.times === 0) continue;
      if (each.skip > 0) each.skip--;
      else {
        each.times--;
        return each.fault;
      }
    }
    return null;
  }
}

function errorOf({ operation, error }: RequestFault): Error {
  return error ?? new SluiceError('STORAGE_FAILED', `${operation} failed on purpose`, { retryable: true });
}

function nameOf({ bucket, key }: ObjectRef): string {
  return `${bucket}/${key}`;
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
