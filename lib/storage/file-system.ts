/**
 * Extension point: where files are. One implementation a kind of storage; `local/` is the local disk. Paths are
 * absolute, with `/`, or `s3://bucket/key`. Foreign errors are turned into SluiceErrors here and nowhere else (NOT_FOUND, ACCESS_DENIED,
 * DISK_FULL, STORAGE_FAILED ...).
 */
import type { ByteSource } from '../core/byte-source.ts';
import type { RecoverableWriter } from './recoverable-writer.ts';

export interface FileStatus {
  readonly path: string;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /**
   * Tells, with the size, this version of the file from others: 64 bits of an object's ETag. Where it is left out,
   * `modifiedNs` does.
   */
  readonly identity?: bigint;
  /**
   * 64 bits that tell the file itself from others, whatever name it has and whatever is written into it: device, inode
   * and time of creation (java.nio: BasicFileAttributes.fileKey). Left out where the storage has no such thing, where
   * the file has several names (hard links), and in listings that did not ask for it.
   */
  readonly fileKey?: bigint;
  /**
   * 64 bits that tell the file from others that have its name later: inode and time of creation. They stay the same where
   * its device gets another number (a reboot, a mount) and however many names it has. Left out where the storage keeps no
   * time of creation, and in listings that did not ask for it.
   */
  readonly birthKey?: bigint;
}

export interface PathStatus extends FileStatus {
  readonly isFolder: boolean;
  /** When the file began to exist, nanoseconds since 1970: writing to it does not change that. null where nobody knows. */
  readonly createdNs: bigint | null;
}

/** A version of a file, as a listing showed it. */
export type FileVersion = Pick<FileStatus, 'sizeBytes' | 'identity' | 'fileKey'>;

export interface ListOptions {
  /** Whether to go into a folder; `path` is relative to the listed one. Not asked for the listed folder itself. */
  readonly enterFolder: (path: string) => boolean;
  /** Whether a file is wanted: only those are stat'ed. `path` is relative to the listed folder. */
  readonly wantFile: (path: string) => boolean;
  /** What every wanted path begins with (one of them does), relative to the listed folder. Lets a storage list less. */
  readonly prefixes?: readonly string[];
  /** Whether no folder is entered. Lets a storage list less. */
  readonly topOnly?: boolean;
  /** Whether `fileKey` is wanted, where the storage has it. */
  readonly fileKeys?: boolean;
  /** The same of `birthKey`. */
  readonly birthKeys?: boolean;
  /**
   * Whether it is enough that a file of this absolute path is there: then it is left out of the pieces, and not looked at.
   * Asked once for each wanted file, but links, where looking costs more than the name; a storage whose listing tells all
   * need not ask.
   */
  readonly nameSuffices?: (path: string) => boolean;
}

/** An open file that is read at any place. */
export interface RandomSource {
  /** Reads up to `into.length` bytes from a byte offset on. @returns how many; 0 means the end @throws SluiceError */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Lets go of the handle. Calls may repeat. */
  close(): Promise<void>;
}

/** A write that began, holds space, and that no listing of files shows: a multipart upload. */
export interface UnfinishedUpload {
  /** The name that the file would get. */
  readonly path: string;
  readonly uploadId: string;
  readonly startedMs: number;
  /** 0 where the storage does not say. */
  readonly sizeBytes: number;
}

export interface UnfinishedUploads {
  /** Those below a folder, in pieces. @throws SluiceError: an upload that cannot be listed is never "none" */
  list(folder: string): AsyncIterable<readonly UnfinishedUpload[]>;
  /** Gives an upload up. @returns whether it was there */
  abort(path: string, uploadId: string): Promise<boolean>;
}

export interface FileSystem {
  /**
   * Lists the files below a folder in no special order, in pieces as they are found. A file or folder that vanishes
   * while the listing runs is left out; a folder that cannot be read is an error, never an empty one.
   * @throws SluiceError NOT_FOUND where the folder itself does not exist
   */
  list(folder: string, options: ListOptions): AsyncIterable<readonly FileStatus[]>;
  /** What is at a path: null where there is nothing. */
  stat(path: string): Promise<PathStatus | null>;
  /**
   * What stays the same as long as a folder is the same folder: device and inode. null where there is none. Tells an
   * emptied folder from one whose disk is not mounted. In an object store every prefix of a bucket is a folder.
   */
  folderIdentity(folder: string): Promise<string | null>;
  /**
   * Reads a file from a byte offset on. Where `version` has an identity, that very version is read, and a file that
   * was replaced, even while it is read, is an error.
   * @throws SluiceError NOT_FOUND where it is gone; FILE_MODIFIED where it is another version
   */
  open(path: string, offset: number, version?: FileVersion): Promise<ByteSource>;
  /**
   * A small file, whole, in the version that a listing showed: with that identity, or else size, time of change and
   * birth key (where one is given) as they are once all of it was read. null where it is gone, or another one by now.
   * @throws SluiceError of the storage
   */
  readVersion(file: FileStatus): Promise<Uint8Array | null>;
  /**
   * Opens a file to be read at any place; `version` as for `open`, and where it has a file key the file must be that one. Left out where `open` at each place costs no more.
   * @throws SluiceError NOT_FOUND where it is gone
   */
  openRandom?(path: string, version?: FileVersion): Promise<RandomSource>;
  /** A small file, whole. null where there is none. */
  readFile(path: string): Promise<Uint8Array | null>;
  /**
   * Makes a file that was not there, whole and durable (fsync of file and folder), or leaves everything as it is.
   * @returns false where a file of that name existed
   */
  createExclusive(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Makes a small file, or puts another in its place: whole, durable, and in one step for readers. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes a folder and those above it, durably. */
  makeFolder(path: string): Promise<void>;
  /** Removes a file; nothing happens where there is none. @returns whether there was one */
  remove(path: string): Promise<boolean>;
  /**
   * Gives a file another name, durably, and never replaces one. May be done again after a crash at any step of it.
   * @returns occupied where another file has the name `to`; missing where there is none at `from`
   */
  move(from: string, to: string): Promise<'moved' | 'occupied' | 'missing'>;
  /** Removes files, so that they stay removed after a power cut. Those that are not there are passed over. */
  removeDurably(paths: readonly string[]): Promise<void>;
  /** Removes a folder if it is empty. */
  removeEmptyFolder(path: string): Promise<void>;
  readonly recoverableWriter: RecoverableWriter;
  /** Absent where the storage has no such thing. */
  readonly unfinishedUploads?: UnfinishedUploads;
  /**
   * Proves that `createExclusive` below a folder is exclusive, where that is not a matter of course.
   * @throws SluiceError STORAGE_UNSUITABLE
   */
  proveConditionalWrites?(folder: string): Promise<void>;
  /** Lets go of connections and of what was only meant for this process. */
  close?(): Promise<void>;
}
