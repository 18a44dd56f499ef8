/**
 * What sluice needs of an object store, and nothing else: a dozen calls, with the answers that matter as values
 * (a condition that was not met, an upload that is gone) and everything else as SluiceErrors. `sdk-object-store.ts`
 * makes it from the AWS SDK; tests have one in memory.
 *
 * Each call is one request and is not repeated: that is what `retrying-object-store.ts` is for.
 */

export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** With '/': keys that have one behind the prefix are not listed, their common part is not asked for. */
  readonly delimiter?: '/';
  /** Keys up to this one are left out. */
  readonly startAfter?: string;
  /** From the page before. */
  readonly continuation?: string;
  readonly maxKeys?: number;
}

export interface ListPage {
  /** In the byte order of their keys. May be empty though more follow. */
  readonly objects: readonly ListedObject[];
  /** Whether there is anything below the prefix: an object, or a common prefix. */
  readonly any: boolean;
  /** For the next page; null at the end. */
  readonly continuation: string | null;
}

export interface ObjectHead {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface GetRequest {
  readonly from: number;
  /** Exclusive; null: the end of the object. */
  readonly to: number | null;
  /** Only this version of the object. */
  readonly ifMatch: string | null;
}

export interface ObjectBody {
  readonly etag: string;
  /** Of the whole object. */
  readonly objectBytes: number;
  /** Of what was asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the transfer. Calls may repeat. */
  readonly cancel: () => void;
}

/** changed: it is there, and not the version that was asked for. empty: the range begins at or behind its end. */
export type GetAnswer = ObjectBody | 'missing' | 'changed' | 'empty';

export interface PutOptions {
  /** Only where no object of that key exists. */
  readonly ifAbsent: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether it is a finished part, with the storage class and tags of those. */
  readonly final: boolean;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  /** Base64, where the upload has checksums. */
  readonly crc32: string | null;
}

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  /** On some servers it moves with every part. */
  readonly startedMs: number;
}

export interface UploadPage {
  readonly uploads: readonly OpenUpload[];
  /** For the next page; null at the end. */
  readonly keyMarker: string | null;
}

/**
 * What a server said to Complete. None of it proves anything: servers say 200 to a Complete that did nothing, and 404
 * to the repetition of one that worked. exists: the condition was not met · refused: a part is not the one named.
 */
export type CompleteAnswer = 'completed' | 'exists' | 'gone' | 'refused';

export interface ObjectStore {
  list(request: ListRequest): Promise<ListPage>;
  /** null where there is no such object. */
  head(ref: ObjectRef): Promise<ObjectHead | null>;
  get(ref: ObjectRef, request: GetRequest): Promise<GetAnswer>;
  /** @returns false where the condition was not met */
  put(ref: ObjectRef, bytes: Uint8Array, options: PutOptions): Promise<boolean>;
  /** At most 1,000 keys; those that are not there count as deleted. */
  remove(bucket: string, keys: readonly string[]): Promise<void>;
  createUpload(ref: ObjectRef, metadata: Readonly<Record<string, string>>): Promise<string>;
  uploadPart(ref: ObjectRef, uploadId: string, number: number, bytes: Uint8Array): Promise<UploadedPart>;
  /** null where there is no such upload. */
  listParts(ref: ObjectRef, uploadId: string): Promise<readonly UploadedPart[] | null>;
  completeUpload(
    ref: ObjectRef,
    uploadId: string,
    parts: readonly UploadedPart[],
    ifAbsent: boolean,
  ): Promise<CompleteAnswer>;
  abortUpload(ref: ObjectRef, uploadId: string): Promise<void>;
  listUploads(bucket: string, prefix: string, keyMarker: string | null): Promise<UploadPage>;
  close(): void;
}
