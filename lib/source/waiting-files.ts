/**
 * Files that were found and not yet taken, oldest first: a heap ordered by (mtime, path). A backlog of a million files
 * stays small, because only their bytes and numbers are kept: path relative to its root as UTF-8 in one arena, and 30
 * bytes beside it.
 *
 * This is a cache of the last listing and is in no checkpoint: what was not taken is found again.
 */
import { ByteBuffer } from '../core/byte-buffer.ts';
import type { FileStatus } from '../storage/file-system.ts';

export interface WaitingFile extends FileStatus {
  /** Index of the root it was found under. */
  readonly root: number;
}

const toText = new TextDecoder();
const NS_PER_MS = 1_000_000n;

export class WaitingFiles {
  readonly #folders: readonly string[];
  #names = new ByteBuffer(1024);
  /** File f has names.bytes[starts[f] .. starts[f+1]). */
  #starts = new Float64Array(17);
  #roots = new Uint16Array(16);
  #sizes = new Float64Array(16);
  /** Milliseconds and the nanoseconds within them: comparing numbers is several times as fast as comparing BigInts. */
  #modifiedMs = new Float64Array(16);
  #nanoseconds = new Uint32Array(16);
  /** Only where files have identities. */
  #identities: BigInt64Array | null = null;
  /** Only where the listing tells them. */
  #fileKeys: BigUint64Array | null = null;
  #birthKeys: BigUint64Array | null = null;
  #added = 0;
  /** Heap of file numbers, smallest first. */
  #heap = new Uint32Array(16);
  #length = 0;
  #sizeBytes = 0;

  /** @param folders the roots' folders */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  get size(): number {
    return this.#length;
  }

  /** Of all that wait. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(status: FileStatus, root: number): void {
    const file = this.#added;
    if (file === this.#sizes.length) this.#grow();
    const folder = this.#folders[root]!;
    this.#names.pushText(status.path.slice(folder === '/' ? 1 : folder.length + 1));
    this.#starts[file + 1] = this.#names.length;
    this.#roots[file] = root;
    this.#sizes[file] = status.sizeBytes;
    this.#sizeBytes += status.sizeBytes;
    // Floored also for times before 1970, so that the nanoseconds are never negative.
    const nanoseconds = ((status.modifiedNs % NS_PER_MS) + NS_PER_MS) % NS_PER_MS;
    this.#modifiedMs[file] = Number((status.modifiedNs - nanoseconds) / NS_PER_MS);
    this.#nanoseconds[file] = Number(nanoseconds);
    if (status.identity !== undefined) {
      this.#identities ??= new BigInt64Array(this.#sizes.length);
      this.#identities[file] = status.identity;
    }
    if (status.fileKey !== undefined) {
      this.#fileKeys ??= new BigUint64Array(this.#sizes.length);
      this.#fileKeys[file] = status.fileKey;
    }
    if (status.birthKey !== undefined) {
      this.#birthKeys ??= new BigUint64Array(this.#sizes.length);
      this.#birthKeys[file] = status.birthKey;
    }
    this.#added++;
    this.#heap[this.#length] = file;
    this.#siftUp(this.#length++);
  }

  /** Takes out the oldest file; null when none waits. */
  pop(): WaitingFile | null {
    if (this.#length === 0) return null;
    const file = this.#heap[0]!;
    this.#heap[0] = this.#heap[--this.#length]!;
    this.#siftDown(0);
    const waiting = this.#get(file);
    this.#sizeBytes -= waiting.sizeBytes;
    if (this.#length === 0) this.#clear();
    return waiting;
  }

  get memoryBytes(): number {
    return (
      this.#names.memoryBytes +
      this.#sizes.length * 34 +
      (this.#identities?.byteLength ?? 0) +
      (this.#fileKeys?.byteLength ?? 0) +
      (this.#birthKeys?.byteLength ?? 0)
    );
  }

  #get(file: number): WaitingFile {
    const root = this.#roots[file]!;
    const folder = this.#folders[root]!;
    const name = toText.decode(this.#names.bytes.subarray(this.#starts[file]!, this.#starts[file + 1]!));
    return {
      path: folder === '/' ? `/${name}` : `${folder}/${name}`,
      sizeBytes: this.#sizes[file]!,
      modifiedNs: BigInt(this.#modifiedMs[file]!) * NS_PER_MS + BigInt(this.#nanoseconds[file]!),
      // 0: of a file without one, among others that have one.
      ...(this.#identities?.[file] ? { identity: this.#identities[file]! } : {}),
      ...(this.#fileKeys?.[file] ? { fileKey: this.#fileKeys[file]! } : {}),
      ...(this.#birthKeys?.[file] ? { birthKey: this.#birthKeys[file]! } : {}),
      root,
    };
  }

  /** Drained: names of files taken long ago need no memory. */
  #clear(): void {
    this.#names = new ByteBuffer(1024);
    this.#added = 0;
    this.#identities?.fill(0n);
    this.#fileKeys?.fill(0n);
    this.#birthKeys?.fill(0n);
  }

  #isBefore(a: number, b: number): boolean {
    const ms = this.#modifiedMs[a]! - this.#modifiedMs[b]!;
    if (ms !== 0) return ms < 0;
    const nanoseconds = this.#nanoseconds[a]! - this.#nanoseconds[b]!;
    if (nanoseconds !== 0) return nanoseconds < 0;
    return this.#comparePaths(a, b) < 0;
  }

  /** By bytes of UTF-8. Many files may share one mtime (an unpacked archive), so nothing is allocated here. */
  #comparePaths(a: number, b: number): number {
    if (this.#roots[a] !== this.#roots[b]) {
      return Buffer.compare(Buffer.from(this.#get(a).path), Buffer.from(this.#get(b).path));
    }
    const { bytes } = this.#names;
    const endA = this.#starts[a + 1]!;
    const endB = this.#starts[b + 1]!;
    let at = this.#starts[a]!;
    let other = this.#starts[b]!;
    for (; at < endA && other < endB; at++, other++) {
      const difference = bytes[at]! - bytes[other]!;
      if (difference !== 0) return difference;
    }
    return endA - at - (endB - other);
  }

  #siftUp(at: number): void {
    const heap = this.#heap;
    const file = heap[at]!;
    let child = at;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(file, heap[parent]!)) break;
      heap[child] = heap[parent]!;
      child = parent;
    }
    heap[child] = file;
  }

  #siftDown(at: number): void {
    const heap = this.#heap;
    const file = heap[at]!;
    let parent = at;
    for (let child = parent * 2 + 1; child < this.#length; child = parent * 2 + 1) {
      if (child + 1 < this.#length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, file)) break;
      heap[parent] = heap[child]!;
      parent = child;
    }
    heap[parent] = file;
  }

  #grow(): void {
    const capacity = this.#sizes.length * 2;
    const starts = new Float64Array(capacity + 1);
    starts.set(this.#starts);
    this.#starts = starts;
    const roots = new Uint16Array(capacity);
    roots.set(this.#roots);
    this.#roots = roots;
    const sizes = new Float64Array(capacity);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
    const modifiedMs = new Float64Array(capacity);
    modifiedMs.set(this.#modifiedMs);
    this.#modifiedMs = modifiedMs;
    if (this.#identities !== null) {
      const identities = new BigInt64Array(capacity);
      identities.set(this.#identities);
      this.#identities = identities;
    }
    if (this.#fileKeys !== null) {
      const fileKeys = new BigUint64Array(capacity);
      fileKeys.set(this.#fileKeys);
      this.#fileKeys = fileKeys;
    }
    if (this.#birthKeys !== null) {
      const birthKeys = new BigUint64Array(capacity);
      birthKeys.set(this.#birthKeys);
      this.#birthKeys = birthKeys;
    }
    const nanoseconds = new Uint32Array(capacity);
    nanoseconds.set(this.#nanoseconds);
    this.#nanoseconds = nanoseconds;
    const heap = new Uint32Array(capacity);
    heap.set(this.#heap);
    this.#heap = heap;
  }
}
