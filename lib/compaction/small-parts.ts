/** The small parts of a job's lake, by bucket: what compaction chooses from. */
import { bucketOf, isInLake, visiblePartsListing } from '../commit/lake-table.ts';
import { isPartName } from '../sink/part-name.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { isSmall, type SmallPart } from './plan.ts';

/** Some hundred bytes each. More are left for another start. */
const MAX_PARTS = 200_000;

export interface Bucket {
  readonly parts: Map<string, SmallPart>;
  /** When the newest part came. */
  newestMs: number;
}

export class SmallParts {
  readonly #sinkPath: string;
  readonly #jobId: string;
  readonly #targetBytes: number;
  readonly #buckets = new Map<string, Bucket>();
  #count = 0;

  constructor(sinkPath: string, jobId: string, targetBytes: number) {
    this.#sinkPath = sinkPath;
    this.#jobId = jobId;
    this.#targetBytes = targetBytes;
  }

  get buckets(): ReadonlyMap<string, Bucket> {
    return this.#buckets;
  }

  /**
   * Takes in what the lake holds.
   * @param counts whether a visible part is one
   * @param prove those of the small parts that may be merged
   * @returns small parts that may not
   */
  async scan(
    fileSystem: FileSystem,
    counts: (path: string) => boolean,
    prove: (listed: readonly SmallPart[]) => Promise<readonly SmallPart[]>,
  ): Promise<readonly SmallPart[]> {
    if ((await fileSystem.stat(this.#sinkPath)) === null) return [];
    const listed: SmallPart[] = [];
    const newest = new Map<string, number>();
    const options = visiblePartsListing((name) => isPartName(name, this.#jobId));
    for await (const files of fileSystem.list(this.#sinkPath, options)) {
      for (const { path, sizeBytes, modifiedNs } of files) {
        if (!counts(path)) continue;
        const bucketId = bucketOf(path, this.#sinkPath);
        // Large ones as well: a bucket that gets them is not quiet.
        newest.set(bucketId, Math.max(newest.get(bucketId) ?? 0, Number(modifiedNs / 1_000_000n)));
        if (isSmall(sizeBytes, this.#targetBytes) && listed.length < MAX_PARTS)
          listed.push({ path, sizeBytes });
      }
    }
    const proven = new Set(await prove(listed));
    for (const { path, sizeBytes } of proven)
      this.add(path, sizeBytes, newest.get(bucketOf(path, this.#sinkPath)) ?? 0);
    return listed.filter((part) => !proven.has(part));
  }

  /** A part that is visible. Large ones are of no interest. */
  add(path: string, sizeBytes: number, nowMs: number): void {
    if (!isInLake(path, this.#sinkPath)) return;
    const bucketId = bucketOf(path, this.#sinkPath);
    let bucket = this.#buckets.get(bucketId);
    if (bucket !== undefined) bucket.newestMs = Math.max(bucket.newestMs, nowMs);
    if (!isSmall(sizeBytes, this.#targetBytes) || this.#count >= MAX_PARTS || bucket?.parts.has(path)) return;
    if (bucket === undefined) {
      bucket = { parts: new Map(), newestMs: nowMs };
      this.#buckets.set(bucketId, bucket);
    }
    bucket.parts.set(path, { path, sizeBytes });
    this.#count++;
  }

  remove(path: string): void {
    const bucketId = bucketOf(path, this.#sinkPath);
    const bucket = this.#buckets.get(bucketId);
    if (bucket?.parts.delete(path)) this.#count--;
    if (bucket?.parts.size === 0) this.#buckets.delete(bucketId);
  }
}
