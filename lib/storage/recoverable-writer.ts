/**
 * Extension point: writing files that become visible at once, whole, and never twice (Flink: RecoverableWriter,
 * RecoverableFsDataOutputStream). The life of a file:
 *
 *     open --write--> [hidden] --persist--> resume point (goes into a checkpoint)
 *                         |          recover(resume point) --> open again, shortened to it
 *                  closeForCommit --> committable (goes into a checkpoint) --commit--> visible
 */

/** Where an open file can be continued by any process. Plain JSON. */
export interface ResumePoint {
  /** The hidden file. */
  readonly hiddenPath: string;
  /** The name it will get. */
  readonly finalPath: string;
  /** Bytes that are durable; whatever stands behind them is dropped by `recover`. */
  readonly lengthBytes: number;
  /** In an object store: the upload that holds the first bytes. */
  readonly upload?: UploadState;
  /** In an object store: hidden objects that hold the bytes behind those of the upload, in order. */
  readonly pieces?: readonly PieceState[];
  /** In an object store: hidden objects that are not needed once the file is visible. */
  readonly superseded?: readonly string[];
}

export interface UploadState {
  readonly id: string;
  readonly parts: readonly UploadedPartState[];
}

export interface UploadedPartState {
  /** Ascending, with gaps. */
  readonly number: number;
  readonly etag: string;
  /** Base64; null where the upload has no checksums. */
  readonly crc32: string | null;
  readonly lengthBytes: number;
}

export interface PieceState {
  readonly path: string;
  readonly lengthBytes: number;
}

/** Every hidden file that a resume point needs. */
export function hiddenPaths(point: ResumePoint): string[] {
  return [point.hiddenPath, ...(point.pieces ?? []).map((piece) => piece.path)];
}

/** A closed, durable, hidden file that waits for its commit. Plain JSON, of the same shape: all of it is durable. */
export type PendingFile = ResumePoint;

export interface OpenFile {
  readonly finalPath: string;
  /** Bytes written so far. */
  readonly lengthBytes: number;
  /** Appends; the bytes may be reused when the promise settles. @throws SluiceError STEP_ILLEGAL once closed */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes everything written so far durable (file and its folder entry). May be called at any time, any number of times. */
  persist(): Promise<ResumePoint>;
  /** Makes the file durable and closes it. Nothing is visible yet. */
  closeForCommit(): Promise<PendingFile>;
  /** Closes and removes the hidden file: for what is discarded. Calls may repeat. */
  discard(): Promise<void>;
  /** Gives the handle back without changing anything (another write opens it again); bounds handles over many files. */
  release(): Promise<void>;
}

export interface RecoverableWriter {
  /** Whether `recover` works; where it does not, open files are closed at each checkpoint. */
  readonly supportsResume: boolean;
  /** Begins a hidden file for `finalPath`. `hiddenFolder` null: beside it. Creates folders as needed. */
  open(finalPath: string, hiddenFolder: string | null): Promise<OpenFile>;
  /**
   * A file that is written in one go: open, write and closeForCommit. The bytes may be reused when the promise settles. Any
   * number may be asked for at once: the writer bounds how many it works on. Where it fails, what a crash leaves stays.
   */
  writeWhole(finalPath: string, hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile>;
  /**
   * Opens a file at its resume point.
   * @throws SluiceError PART_MISSING where the hidden file is gone or shorter than it was
   */
  recover(point: ResumePoint): Promise<OpenFile>;
  /**
   * Makes pending files visible under their final names, durably. Never replaces a file. Doing it again changes
   * nothing: a file that is there already, and is ours, is done.
   * @throws SluiceError PART_MISSING where neither the hidden nor the final file exists
   * @throws SluiceError TARGET_EXISTS where another file has the final name
   */
  commit(files: readonly PendingFile[]): Promise<void>;
  /** Removes the hidden file that a resume point names, if it is there. @returns whether it was */
  cleanup(point: ResumePoint): Promise<boolean>;
}
