/**
 * Names of what is hidden in an object store: `.<final name>.inprogress.<run>` stands for a part as a whole (there is no
 * object of that name), `.<final name>.inprogress.<run>.<writing run>-<n>` is a piece of its bytes. A piece's name is
 * never used twice, so that a process which does not know yet that it was fenced off cannot write over what its
 * successor relies on.
 */
import { nameOf, parseS3Location } from '../../core/location.ts';
import type { ObjectStore } from './object-store.ts';

/** A file's hidden objects are a few dozen at most. */
const MAX_PAGES = 10;

/** What says, in an object's metadata, which part it is. */
export const PART_METADATA = 'sluice-part';

/** The metadata of the object that a hidden path becomes. ASCII, as headers have to be. */
export function partMetadata(hiddenPath: string): Record<string, string> {
  return { [PART_METADATA]: encodeURIComponent(nameOf(hiddenPath)) };
}

export function piecePath(hiddenPath: string, runId: string, number: number): string {
  return `${hiddenPath}.${runId}-${number}`;
}

/** The run that wrote a piece. */
export function pieceWriter(path: string): string {
  return /\.([0-9a-f]+)-\d+$/.exec(path)?.[1] ?? '';
}

/** The run that began a hidden file. */
export function hiddenRun(hiddenPath: string): string {
  return hiddenPath.slice(hiddenPath.lastIndexOf('.') + 1);
}

/** A file's pieces as they are: path -> size. */
export async function listPieces(store: ObjectStore, hiddenPath: string): Promise<Map<string, number>> {
  const { bucket, key } = parseS3Location(hiddenPath);
  const found = new Map<string, number>();
  let continuation: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await store.list({
      bucket,
      prefix: `${key}.`,
      ...(continuation === null ? {} : { continuation }),
    });
    for (const object of answer.objects)
      found.set(`${hiddenPath}${object.key.slice(key.length)}`, object.sizeBytes);
    continuation = answer.continuation;
    if (continuation === null) break;
  }
  return found;
}

const MAX_KEYS_A_CALL = 1000;

/** Removes objects by their paths, which may be in several buckets; those that are gone already do not count. */
export async function removeObjects(store: ObjectStore, paths: readonly string[]): Promise<void> {
  const byBucket = new Map<string, string[]>();
  for (const path of new Set(paths)) {
    const { bucket, key } = parseS3Location(path);
    const keys = byBucket.get(bucket);
    if (keys === undefined) byBucket.set(bucket, [key]);
    else keys.push(key);
  }
  for (const [bucket, keys] of byBucket) {
    for (let at = 0; at < keys.length; at += MAX_KEYS_A_CALL)
      await store.remove(bucket, keys.slice(at, at + MAX_KEYS_A_CALL));
  }
}
