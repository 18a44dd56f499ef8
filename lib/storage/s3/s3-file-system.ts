/** Object stores as a FileSystem: keys are paths, every prefix of a bucket that is there is a folder. */
import { type ByteSource, readFully } from '../../core/byte-source.ts';
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { Ids } from '../../core/ids.ts';
import { parseS3Location, s3Location } from '../../core/location.ts';
import type { S3Spec } from '../../core/specs.ts';
import type {
  FileStatus,
  FileSystem,
  FileVersion,
  ListOptions,
  PathStatus,
  RandomSource,
  UnfinishedUploads,
} from '../file-system.ts';
import { versionOf } from './etag.ts';
import { listObjects } from './list-objects.ts';
import { ObjectRanges } from './object-ranges.ts';
import { ObjectSource, type ObjectSourceOptions } from './object-source.ts';
import type { ObjectRef, ObjectStore } from './object-store.ts';
import { openUploads } from './open-uploads.ts';
import { readObject } from './read-piece.ts';
import { type RetryPolicy, retryingObjectStore } from './retrying-object-store.ts';
import { S3RecoverableWriter } from './s3-recoverable-writer.ts';
import { SpoolFolder } from './spool.ts';

const NS_PER_MS = 1_000_000n;
/** Between two words about requests that fail. */
const WARNING_INTERVAL_MS = 10_000;
/** What says, in an object's metadata, which request made it. */
const WRITE_METADATA = 'sluice-write';

export interface S3FileSystemOptions {
  readonly store: ObjectStore;
  readonly spec: S3Spec;
  readonly runId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What keeps it waiting. */
  readonly onWarning?: (message: string) => void;
}

export class S3FileSystem implements FileSystem {
  readonly recoverableWriter: S3RecoverableWriter;
  readonly unfinishedUploads: UnfinishedUploads;
  readonly #store: ObjectStore;
  readonly #retry: RetryPolicy;
  readonly #spec: S3Spec;
  readonly #ids: Ids;
  readonly #spool: SpoolFolder;
  /** Buckets that were found to be there. */
  readonly #reached = new Map<string, Promise<void>>();

  constructor({ store, spec, runId, clock, ids, onWarning = () => {} }: S3FileSystemOptions) {
    const random = () => Number.parseInt(ids.hex(4), 16) / 2 ** 32;
    let quietUntil = 0;
    const onPatience = (error: SluiceError, attempts: number) => {
      // Many requests fail at once, for one reason.
      if (clock.elapsed() < quietUntil) return;
      quietUntil = clock.elapsed() + WARNING_INTERVAL_MS;
      onWarning(`${error.message}; tried ${attempts} times, and tried on (s3.retry_timeout)`);
    };
    this.#retry = { clock, random, timeoutMs: spec.retryTimeoutMs, onPatience };
    this.#store = retryingObjectStore(store, this.#retry);
    this.#spec = spec;
    this.#ids = ids;
    this.#spool = new SpoolFolder(spec.spoolFolder, spec.partBytes);
    this.unfinishedUploads = openUploads(this.#store);
    this.recoverableWriter = new S3RecoverableWriter({
      store: this.#store,
      spool: this.#spool,
      retry: this.#retry,
      spec,
      runId,
    });
  }

  async *list(folder: string, options: ListOptions): AsyncGenerator<readonly FileStatus[]> {
    const { bucket, key } = parseS3Location(folder);
    yield* listObjects(this.#store, bucket, key, options);
  }

  async stat(path: string): Promise<PathStatus | null> {
    const ref = parseS3Location(path);
    await this.#reach(ref);
    const head = ref.key === '' ? null : await this.#store.head(ref);
    if (head !== null) {
      return {
        path,
        sizeBytes: head.sizeBytes,
        ...versionOf(head.etag, head.modifiedMs),
        isFolder: false,
        // An object is written whole: what is newer is another one.
        createdNs: BigInt(head.modifiedMs) * NS_PER_MS,
      };
    }
    if (ref.key !== '' && !(await this.#hasObjects(ref))) return null;
    return { path, sizeBytes: 0, modifiedNs: 0n, isFolder: true, createdNs: null };
  }

  async folderIdentity(folder: string): Promise<string | null> {
    const ref = parseS3Location(folder);
    await this.#reach(ref);
    return s3Location({ bucket: ref.bucket, key: '' });
  }

  async open(path: string, offset: number, version?: FileVersion): Promise<ByteSource> {
    return ObjectSource.open(this.#source(path, version), offset);
  }

  async readVersion(file: FileStatus): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(file.sizeBytes);
    try {
      const source = await ObjectSource.open(this.#source(file.path, file), 0, file.sizeBytes);
      try {
        return (await readFully(source, bytes)) === bytes.length ? bytes : null;
      } finally {
        await source.close();
      }
    } catch (thrown) {
      const { code } = SluiceError.from(thrown);
      if (code === 'NOT_FOUND' || code === 'FILE_MODIFIED') return null;
      throw thrown;
    }
  }

  async openRandom(path: string, version?: FileVersion): Promise<RandomSource> {
    if (version?.identity !== undefined) return new ObjectRanges(this.#source(path, version));
    const status = await this.stat(path);
    if (status !== null && !status.isFolder) return new ObjectRanges(this.#source(path, status));
    throw new SluiceError('NOT_FOUND', `${path} does not exist`, { details: { path } });
  }

  #source(path: string, version?: FileVersion): ObjectSourceOptions {
    return {
      store: this.#store,
      ref: parseS3Location(path),
      retry: this.#retry,
      identity: version?.identity ?? null,
      sizeBytes: version?.identity === undefined ? null : version.sizeBytes,
    };
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    const ref = parseS3Location(path);
    await this.#reach(ref);
    return readObject(this.#store, ref, this.#retry);
  }

  /** By a conditional request; without those, only as exclusive as a look beforehand is. State is never kept there. */
  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    const ref = parseS3Location(path);
    const { conditionalWrites } = this.#spec;
    await this.#reach(ref);
    if (!conditionalWrites && (await this.#store.head(ref)) !== null) return false;
    const token = this.#ids.hex(8);
    failpoint('s3.exclusive.before');
    const created = await this.#store.put(ref, bytes, {
      ifAbsent: conditionalWrites,
      metadata: { [WRITE_METADATA]: token },
      final: false,
    });
    // Refused: because somebody was quicker, or because of our own request whose answer was lost.
    return created || (await this.#store.head(ref))?.metadata[WRITE_METADATA] === token;
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    await this.#store.put(parseS3Location(path), bytes, { ifAbsent: false, metadata: {}, final: false });
  }

  /** There are no folders. */
  async makeFolder(): Promise<void> {}

  async remove(path: string): Promise<boolean> {
    const ref = parseS3Location(path);
    if ((await this.#store.head(ref)) === null) return false;
    await this.#store.remove(ref.bucket, [ref.key]);
    return true;
  }

  async removeDurably(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.remove(path);
  }

  async removeEmptyFolder(): Promise<void> {}

  /** A copy and a deletion would be two steps, with conditions on them that servers do not keep to. */
  async move(from: string): Promise<never> {
    throw new SluiceError('STORAGE_UNSUITABLE', `${from} is an object, and objects cannot be renamed`, {
      hint: 'keep or delete objects, or let a lifecycle rule of the bucket deal with them',
    });
  }

  async close(): Promise<void> {
    await this.#spool.close();
    this.#store.close();
  }

  /**
   * Proves that the server refuses what a condition forbids: without that, two processes could both believe that they
   * run a job.
   * @throws SluiceError STORAGE_UNSUITABLE
   */
  async proveConditionalWrites(folder: string): Promise<void> {
    const { bucket, key } = parseS3Location(folder);
    const ref = { bucket, key: `${key === '' ? '' : `${key}/`}.sluice-probe-${this.#ids.hex(8)}` };
    await this.#reach(ref);
    const options = { ifAbsent: true, metadata: {}, final: false };
    const refused = await this.#store.put(ref, new Uint8Array(0), options).then(
      async () => !(await this.#store.put(ref, new Uint8Array(0), options)),
      (thrown: unknown) => {
        const error = SluiceError.from(thrown);
        if (error.details.server !== 'NotImplemented') throw error;
        return false;
      },
    );
    await this.#store.remove(bucket, [ref.key]);
    if (refused) return;
    throw new SluiceError(
      'STORAGE_UNSUITABLE',
      `the server of s3://${bucket} does not keep to If-None-Match: it lets two processes write the same checkpoint or table entry`,
      {
        hint: 'keep `state` and `table: delta` in a local folder or on a server with conditional writes (docs/object-store.md has a table); `s3.conditional_writes: false` is enough for `sink.path`',
        details: { bucket },
      },
    );
  }

  async #hasObjects({ bucket, key }: ObjectRef): Promise<boolean> {
    return (await this.#store.list({ bucket, prefix: `${key}/`, maxKeys: 1 })).any;
  }

  /**
   * Lists the bucket once: some servers answer a request for one object with "not there" where the bucket is not there,
   * or the keys are wrong.
   * @throws SluiceError NOT_FOUND, ACCESS_DENIED
   */
  #reach({ bucket, key }: ObjectRef): Promise<void> {
    let reached = this.#reached.get(bucket);
    if (reached === undefined) {
      reached = this.#store.list({ bucket, prefix: key, maxKeys: 1 }).then(() => {});
      this.#reached.set(bucket, reached);
      reached.catch(() => this.#reached.delete(bucket));
    }
    return reached;
  }
}
