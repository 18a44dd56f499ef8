/** The FileSystem of a job: local paths on the local disk, `s3://` ones in an object store, in any mix. */
import type { ByteSource } from '../core/byte-source.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { type Ids, randomIds } from '../core/ids.ts';
import { isS3Location } from '../core/location.ts';
import type { S3Spec } from '../core/specs.ts';
import type {
  FileStatus,
  FileSystem,
  FileVersion,
  ListOptions,
  RandomSource,
  UnfinishedUploads,
} from './file-system.ts';
import { localFileSystem } from './local/local-file-system.ts';
import type { OpenFile, PendingFile, RecoverableWriter, ResumePoint } from './recoverable-writer.ts';
import type { S3FileSystem } from './s3/s3-file-system.ts';

export interface FileSystemOptions {
  readonly runId: string;
  readonly s3: S3Spec;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** What keeps it waiting, from time to time. */
  readonly onWarning?: (message: string) => void;
  /** Of files on the local disk; one that writes them here where left out. */
  readonly localWriter?: RecoverableWriter;
}

export function openFileSystem(options: FileSystemOptions): RoutedFileSystem {
  return new RoutedFileSystem(localFileSystem(options.runId, options.localWriter), () => openS3(options));
}

/** The SDK is loaded here and nowhere else: a job on local folders starts without it. */
async function openS3({ runId, s3, clock, ids, onWarning }: FileSystemOptions): Promise<S3FileSystem> {
  const [{ S3FileSystem }, { sdkObjectStore }] = await Promise.all([
    import('./s3/s3-file-system.ts'),
    import('./s3/sdk-object-store.ts'),
  ]);
  return new S3FileSystem({
    store: sdkObjectStore(s3),
    spec: s3,
    runId,
    clock: clock ?? systemClock,
    ids: ids ?? randomIds,
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}

export class RoutedFileSystem implements FileSystem {
  readonly recoverableWriter: RecoverableWriter;
  readonly unfinishedUploads: UnfinishedUploads;
  readonly #local: FileSystem;
  readonly #open: () => Promise<S3FileSystem>;
  #s3: Promise<S3FileSystem> | null = null;

  constructor(local: FileSystem, open: () => Promise<S3FileSystem>) {
    this.#local = local;
    this.#open = open;
    this.recoverableWriter = new RoutedWriter((path) => this.#of(path));
    this.unfinishedUploads = this.#uploads();
  }

  async *list(folder: string, options: ListOptions): AsyncGenerator<readonly FileStatus[]> {
    yield* (await this.#of(folder)).list(folder, options);
  }

  async stat(path: string): ReturnType<FileSystem['stat']> {
    return (await this.#of(path)).stat(path);
  }

  async folderIdentity(folder: string): Promise<string | null> {
    return (await this.#of(folder)).folderIdentity(folder);
  }

  async open(path: string, offset: number, version?: FileVersion): Promise<ByteSource> {
    return (await this.#of(path)).open(path, offset, version);
  }

  async readVersion(file: FileStatus): Promise<Uint8Array | null> {
    return (await this.#of(file.path)).readVersion(file);
  }

  async openRandom(path: string, version?: FileVersion): Promise<RandomSource> {
    const fileSystem = await this.#of(path);
    if (fileSystem.openRandom !== undefined) return fileSystem.openRandom(path, version);
    throw new SluiceError('INTERNAL', `${path} cannot be read at any place`);
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    return (await this.#of(path)).readFile(path);
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    return (await this.#of(path)).createExclusive(path, bytes);
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    await (await this.#of(path)).replace(path, bytes);
  }

  async makeFolder(path: string): Promise<void> {
    await (await this.#of(path)).makeFolder(path);
  }

  async remove(path: string): Promise<boolean> {
    return (await this.#of(path)).remove(path);
  }

  async removeDurably(paths: readonly string[]): Promise<void> {
    for (const inS3 of [false, true]) {
      const some = paths.filter((path) => isS3Location(path) === inS3);
      if (some[0] !== undefined) await (await this.#of(some[0])).removeDurably(some);
    }
  }

  async move(from: string, to: string): Promise<'moved' | 'occupied' | 'missing'> {
    return (await this.#of(from)).move(from, to);
  }

  async removeEmptyFolder(path: string): Promise<void> {
    await (await this.#of(path)).removeEmptyFolder(path);
  }

  async close(): Promise<void> {
    await (await this.#s3?.catch(() => null))?.close();
  }

  async proveConditionalWrites(folder: string): Promise<void> {
    if (isS3Location(folder)) await (await this.#object()).proveConditionalWrites(folder);
  }

  #uploads(): UnfinishedUploads {
    const of = async (path: string) => (await this.#of(path)).unfinishedUploads;
    return {
      async *list(folder) {
        yield* (await of(folder))?.list(folder) ?? [];
      },
      abort: async (path, uploadId) => (await (await of(path))?.abort(path, uploadId)) ?? false,
    };
  }

  async #of(path: string): Promise<FileSystem> {
    return isS3Location(path) ? this.#object() : this.#local;
  }

  #object(): Promise<S3FileSystem> {
    this.#s3 ??= this.#open();
    return this.#s3;
  }
}

class RoutedWriter implements RecoverableWriter {
  readonly supportsResume = true;
  readonly #of: (path: string) => Promise<FileSystem>;

  constructor(of: (path: string) => Promise<FileSystem>) {
    this.#of = of;
  }

  async open(finalPath: string, hiddenFolder: string | null): Promise<OpenFile> {
    return (await this.#of(finalPath)).recoverableWriter.open(finalPath, hiddenFolder);
  }

  async writeWhole(finalPath: string, hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile> {
    return (await this.#of(finalPath)).recoverableWriter.writeWhole(finalPath, hiddenFolder, bytes);
  }

  async recover(point: ResumePoint): Promise<OpenFile> {
    return (await this.#of(point.finalPath)).recoverableWriter.recover(point);
  }

  /** Lake and quarantine may lie in different storages. */
  async commit(files: readonly PendingFile[]): Promise<void> {
    for (const inS3 of [false, true]) {
      const some = files.filter(({ finalPath }) => isS3Location(finalPath) === inS3);
      const [first] = some;
      if (first !== undefined) await (await this.#of(first.finalPath)).recoverableWriter.commit(some);
    }
  }

  async cleanup(point: ResumePoint): Promise<boolean> {
    return (await this.#of(point.finalPath)).recoverableWriter.cleanup(point);
  }
}
