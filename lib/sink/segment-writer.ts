/**
 * Segments: append-only files in the state folder, one a subtask and checkpoint, that take the rows of all open parts
 * which are not in a part file yet. Ten thousand open buckets cost one fsync instead of ten thousand.
 */
import { crc32 } from 'node:zlib';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { TailReference } from './sink-state.ts';

export class SegmentWriter {
  readonly #name: string;
  readonly #checkpointId: number;
  readonly #pieces: Uint8Array[] = [];
  #lengthBytes = 0;

  /** @param name file name in the segments folder, never used before */
  constructor(name: string, checkpointId: number) {
    this.#name = name;
    this.#checkpointId = checkpointId;
  }

  /** Takes a piece over. It is durable once `finish` is done. */
  add(bytes: Uint8Array, rows: number): TailReference {
    const reference: TailReference = {
      segment: this.#name,
      offsetBytes: this.#lengthBytes,
      lengthBytes: bytes.length,
      crc32: crc32(bytes),
      rows,
      checkpointId: this.#checkpointId,
    };
    this.#pieces.push(bytes);
    this.#lengthBytes += bytes.length;
    return reference;
  }

  /** Writes the segment durably; no file where nothing was added. */
  async finish(fileSystem: FileSystem, folder: string): Promise<void> {
    if (this.#pieces.length === 0) return;
    const created = await fileSystem.createExclusive(
      `${folder}/${this.#name}`,
      Buffer.concat(this.#pieces, this.#lengthBytes),
    );
    if (!created)
      throw new SluiceError(
        'FENCED',
        `the segment ${this.#name} exists already: another process writes this job's state`,
      );
    failpoint('segment.written');
  }
}

/** Reads pieces back, a segment file at a time. */
export class SegmentReader {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  /** The file read last: the pieces of a segment are asked for in a row. */
  #last: { name: string; bytes: Uint8Array } | null = null;

  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
  }

  /** @throws SluiceError STATE_CORRUPT where the segment is missing, short or altered */
  async read(reference: TailReference): Promise<Uint8Array> {
    const { segment, offsetBytes, lengthBytes } = reference;
    if (this.#last?.name !== segment) {
      const bytes = await this.#fileSystem.readFile(`${this.#folder}/${segment}`);
      if (bytes === null) throw corrupt(`the segment ${segment} is missing`);
      this.#last = { name: segment, bytes };
    }
    const piece = this.#last.bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
    if (piece.length !== lengthBytes) throw corrupt(`the segment ${segment} is too short`);
    if (crc32(piece) !== reference.crc32)
      throw corrupt(`the segment ${segment} was altered at byte ${offsetBytes}`);
    return piece;
  }
}

function corrupt(what: string): SluiceError {
  return new SluiceError('STATE_CORRUPT', `${what}: it holds rows that are in no part yet`, {
    hint: 'restore the state folder from a backup; starting without it would lose or double rows',
  });
}
