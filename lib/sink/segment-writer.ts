/**
 * Segments: append-only files in the state folder, one a subtask and checkpoint, that take the rows of all open parts
 * which are not in a part file yet. Ten thousand open buckets cost one fsync instead of ten thousand.
 */
import { crc32 } from 'node:zlib';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { writeSegment } from '../storage/segment-file.ts';
import type { TailReference } from './sink-state.ts';

/** A segment of this size is written and another one begun, so that a checkpoint does not hold all its rows twice. */
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Segments that are kept in memory while they are read: a part has pieces in as many, and they follow one another. */
const CACHED_SEGMENTS = 10;

export class SegmentWriter {
  readonly #baseName: string;
  readonly #checkpointId: number;
  #pieces: Uint8Array[] = [];
  #lengthBytes = 0;
  #written = 0;

  /** @param baseName file name in the segments folder, never used before, without its ending */
  constructor(baseName: string, checkpointId: number) {
    this.#baseName = baseName;
    this.#checkpointId = checkpointId;
  }

  get #name(): string {
    return `${this.#baseName}${this.#written === 0 ? '' : `-${this.#written}`}.segment`;
  }

  /** Whether `finish` is due before more is added. */
  get isFull(): boolean {
    return this.#lengthBytes >= MAX_SEGMENT_BYTES;
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

  /** Writes what was added durably; no file where nothing was. What is added afterwards goes into another one. */
  async finish(fileSystem: FileSystem, folder: string): Promise<void> {
    if (this.#pieces.length === 0) return;
    const name = this.#name;
    const bytes = Buffer.concat(this.#pieces, this.#lengthBytes);
    this.#pieces = [];
    this.#lengthBytes = 0;
    this.#written++;
    await writeSegment(fileSystem, folder, name, bytes);
    failpoint('segment.written');
  }
}

/** Reads pieces back, in the order in which they were written: each segment file is read once. */
export class SegmentReader {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  /** The files read last, oldest first: the pieces of a segment are asked for in a row, but of several in turn. */
  readonly #cache = new Map<string, Uint8Array>();

  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
  }

  /** @throws SluiceError STATE_CORRUPT where the segment is missing, short or altered */
  async read(reference: TailReference): Promise<Uint8Array> {
    const { segment, offsetBytes, lengthBytes } = reference;
    const piece = (await this.#file(segment)).subarray(offsetBytes, offsetBytes + lengthBytes);
    if (piece.length !== lengthBytes) throw corrupt(`the segment ${segment} is too short`);
    if (crc32(piece) !== reference.crc32)
      throw corrupt(`the segment ${segment} was altered at byte ${offsetBytes}`);
    return piece;
  }

  async #file(name: string): Promise<Uint8Array> {
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const bytes = await this.#fileSystem.readFile(`${this.#folder}/${name}`);
    if (bytes === null) throw corrupt(`the segment ${name} is missing`);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size < CACHED_SEGMENTS) break;
      this.#cache.delete(oldest);
    }
    this.#cache.set(name, bytes);
    return bytes;
  }
}

function corrupt(what: string): SluiceError {
  return new SluiceError('STATE_CORRUPT', `${what}: it holds rows that are in no part yet`, {
    hint: 'restore the state folder from a backup; starting without it would lose or double rows',
  });
}
