/**
 * How known files go into a checkpoint: as blocks of what changed, not as the whole table each time.
 *
 *     delta   := block*                                  deltas one after the other are a delta
 *     block   := version u8, flags u8, records u32, record*
 *     record  := kind u8 (0 forgotten, 1 known, 2 known as a copy), hash 16 B
 *                known: size f64, mtime ns i64, realm u16, and with FOLLOWS_APPENDS consumed f64, fingerprint u64, and
 *                with FILE_KEYS (which goes with it, but in old blocks) file key u64
 *
 * Little-endian. Flag RESET: forget everything before reading the block. The checkpoint that holds a delta guards it by
 * a checksum; what is checked here is that a torn or foreign delta cannot pass.
 */
import { ByteBuffer } from '../core/byte-buffer.ts';
import { SluiceError } from '../core/errors.ts';
import { hashPath } from './path-hash.ts';

export interface KnownFile {
  readonly sizeBytes: number;
  /** Or what tells its version instead: see `versionOf`. */
  readonly modifiedNs: bigint;
  /** The root, at one folder identity, that it was last seen in. See KnownFiles. */
  readonly realm: number;
  /** Bytes taken so far, and a hash over the file's beginning and what stands before that offset; 0n: not followed. */
  readonly consumedBytes: number;
  readonly fingerprint: bigint;
  /** See FileStatus; 0n: not known. Kept only where appended files are followed. */
  readonly fileKey: bigint;
  /** What it has is read from the file that it is a copy of, as long as that one has it. */
  readonly isCopy: boolean;
}

const DELTA_VERSION = 1;
const RESET = 1;
const FOLLOWS_APPENDS = 2;
const FILE_KEYS = 4;
const HEADER_BYTES = 6;
const HASH_BYTES = 16;
const REMOVE_BYTES = 1 + HASH_BYTES;
const PUT_BYTES = REMOVE_BYTES + 18;
const APPEND_BYTES = 16;
const KEY_BYTES = 8;
/** Forgotten files that take less are never replaced by a snapshot. */
const MIN_OVERFLOW_BYTES = 1 << 20;

/** What a replay changes. */
interface DeltaTarget {
  clear(): void;
  put(pathHash: Uint32Array, file: KnownFile): void;
  remove(pathHash: Uint32Array): void;
}

/** Bytes of the record of a known file. */
export function recordBytes(followAppends: boolean): number {
  return PUT_BYTES + (followAppends ? APPEND_BYTES + KEY_BYTES : 0);
}

/** The records of files that were forgotten since the last delta. Bounded. */
export class ForgottenFiles {
  #records = new ByteBuffer(REMOVE_BYTES);
  #overflowed = false;

  /** @param mostBytes of a snapshot: what would be longer is dropped */
  add(pathHash: Uint32Array, mostBytes: number): void {
    if (this.#overflowed) return;
    const records = this.#records;
    records.reserve(REMOVE_BYTES);
    writeHash(records.data, records.length, 0, pathHash);
    records.length += REMOVE_BYTES;
    if (records.length <= Math.max(MIN_OVERFLOW_BYTES, mostBytes)) return;
    this.clear();
    this.#overflowed = true;
  }

  /** Whether some were dropped, so that only a snapshot tells everything. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  get count(): number {
    return this.#records.length / REMOVE_BYTES;
  }

  get records(): Uint8Array {
    return this.#records.view();
  }

  clear(): void {
    this.#records = new ByteBuffer(REMOVE_BYTES);
    this.#overflowed = false;
  }

  get memoryBytes(): number {
    return this.#records.memoryBytes;
  }
}

/** A delta that forgets files and does nothing else. */
export function removalsOf(paths: readonly string[]): Uint8Array {
  const forgotten = new ForgottenFiles();
  for (const path of paths) forgotten.add(hashPath(path), Number.POSITIVE_INFINITY);
  return forgotten.count === 0 ? new Uint8Array(0) : new BlockWriter(false, false, forgotten, 0).bytes;
}

/** Writes one block: first what was forgotten, then what is known, so that a file that was both is known. */
export class BlockWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #followAppends: boolean;
  #at: number;

  /** @param known how many calls of `put` follow */
  constructor(followAppends: boolean, reset: boolean, forgotten: ForgottenFiles | null, known: number) {
    this.#followAppends = followAppends;
    const records = forgotten?.records ?? new Uint8Array(0);
    this.bytes = new Uint8Array(HEADER_BYTES + records.length + known * recordBytes(followAppends));
    this.#view = new DataView(this.bytes.buffer);
    this.#view.setUint8(0, DELTA_VERSION);
    this.#view.setUint8(1, (reset ? RESET : 0) | (followAppends ? FOLLOWS_APPENDS | FILE_KEYS : 0));
    this.#view.setUint32(2, (forgotten?.count ?? 0) + known, true);
    this.bytes.set(records, HEADER_BYTES);
    this.#at = HEADER_BYTES + records.length;
  }

  put(pathHash: Uint32Array, file: KnownFile): void {
    const view = this.#view;
    const at = this.#at;
    writeHash(view, at, file.isCopy && this.#followAppends ? 2 : 1, pathHash);
    view.setFloat64(at + 17, file.sizeBytes, true);
    view.setBigInt64(at + 25, file.modifiedNs, true);
    view.setUint16(at + 33, file.realm, true);
    this.#at += recordBytes(this.#followAppends);
    if (!this.#followAppends) return;
    view.setFloat64(at + 35, file.consumedBytes, true);
    view.setBigUint64(at + 43, file.fingerprint, true);
    view.setBigUint64(at + 51, file.fileKey, true);
  }
}

function writeHash(view: DataView, at: number, kind: number, pathHash: Uint32Array): void {
  view.setUint8(at, kind);
  for (let i = 0; i < 4; i++) view.setUint32(at + 1 + i * 4, pathHash[i]!, true);
}

/** Reads blocks, of this version and flags or others. @throws SluiceError STATE_CORRUPT, STATE_VERSION */
export function replayDelta(delta: Uint8Array, target: DeltaTarget): void {
  const view = new DataView(delta.buffer, delta.byteOffset, delta.byteLength);
  const pathHash = new Uint32Array(4);
  let at = 0;
  while (at < delta.length) {
    need(delta, at, HEADER_BYTES);
    const version = view.getUint8(at);
    if (version !== DELTA_VERSION) {
      throw new SluiceError(
        'STATE_VERSION',
        `the table of known files is of version ${version}, known is ${DELTA_VERSION}`,
      );
    }
    const flags = view.getUint8(at + 1);
    if ((flags & ~(RESET | FOLLOWS_APPENDS | FILE_KEYS)) !== 0) throw corrupt(`flags ${flags}`);
    const follows = (flags & FOLLOWS_APPENDS) !== 0;
    const keyed = (flags & FILE_KEYS) !== 0;
    if (keyed && !follows) throw corrupt(`flags ${flags}`);
    const putBytes = PUT_BYTES + (follows ? APPEND_BYTES : 0) + (keyed ? KEY_BYTES : 0);
    let records = view.getUint32(at + 2, true);
    at += HEADER_BYTES;
    if ((flags & RESET) !== 0) target.clear();
    for (; records > 0; records--) {
      need(delta, at, REMOVE_BYTES);
      const kind = view.getUint8(at);
      if (kind > 2) throw corrupt(`record kind ${kind}`);
      for (let i = 0; i < 4; i++) pathHash[i] = view.getUint32(at + 1 + i * 4, true);
      if (kind === 0) {
        target.remove(pathHash);
        at += REMOVE_BYTES;
        continue;
      }
      need(delta, at, putBytes);
      const sizeBytes = view.getFloat64(at + 17, true);
      if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw corrupt(`file size ${sizeBytes}`);
      target.put(pathHash, {
        sizeBytes,
        modifiedNs: view.getBigInt64(at + 25, true),
        realm: view.getUint16(at + 33, true),
        consumedBytes: follows ? view.getFloat64(at + 35, true) : 0,
        fingerprint: follows ? view.getBigUint64(at + 43, true) : 0n,
        fileKey: keyed ? view.getBigUint64(at + 51, true) : 0n,
        isCopy: kind === 2,
      });
      at += putBytes;
    }
  }
}

function need(delta: Uint8Array, at: number, size: number): void {
  if (at + size > delta.length)
    throw corrupt(`${size} bytes expected at ${at}, the end is at ${delta.length}`);
}

function corrupt(why: string): SluiceError {
  return new SluiceError('STATE_CORRUPT', `the table of known files is damaged: ${why}`, {
    hint: 'restore the state folder from a backup',
  });
}
