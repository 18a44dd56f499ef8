/**
 * Lists a folder of an object store. Keys come flat, 1,000 a request, whatever folders they are in; what cannot match is
 * not asked for: literal beginnings of the wanted names become prefixes, folders that are not entered are jumped over.
 */
import { s3Location } from '../../core/location.ts';
import type { FileStatus, ListOptions } from '../file-system.ts';
import { versionOf } from './etag.ts';
import type { ListedObject, ListPage, ObjectStore } from './object-store.ts';

/** Behind every key of a folder: no character is encoded in higher bytes. */
const LAST = '\u{10FFFF}';
/** Answers about folders that are remembered: keys come sorted, so the last few would do. */
const MAX_REMEMBERED = 1024;

export async function* listObjects(
  store: ObjectStore,
  bucket: string,
  folder: string,
  options: ListOptions,
): AsyncGenerator<readonly FileStatus[]> {
  const base = folder === '' ? '' : `${folder}/`;
  for (const prefix of shortest(options.prefixes ?? [''])) {
    yield* listPrefix(store, bucket, base, prefix, options);
  }
}

async function* listPrefix(
  store: ObjectStore,
  bucket: string,
  base: string,
  prefix: string,
  options: ListOptions,
): AsyncGenerator<readonly FileStatus[]> {
  const request = {
    bucket,
    prefix: base + prefix,
    ...(options.topOnly === true ? { delimiter: '/' as const } : {}),
  };
  const skipped = folderSkipper(options);
  let ahead: Promise<ListPage> = store.list(request);
  for (;;) {
    const page = await ahead;
    const files: FileStatus[] = [];
    let leftOut: string | null = null;
    for (const object of page.objects) {
      const relative = object.key.slice(base.length);
      // What consoles make to show a folder.
      if (relative === '' || relative.endsWith('/')) continue;
      leftOut = skipped(relative);
      if (leftOut === null && options.wantFile(relative)) files.push(statusOf(bucket, object));
    }
    const { continuation } = page;
    // Where the page ends inside a folder that is not entered, the next one begins behind that folder.
    const next: Promise<ListPage> | null =
      continuation === null
        ? null
        : store.list(
            leftOut === null
              ? { ...request, continuation }
              : { ...request, startAfter: `${base}${leftOut}/${LAST}` },
          );
    // Asked for while this page is looked at. Its error is thrown where it is wanted.
    next?.catch(() => {});
    if (files.length > 0) yield files;
    if (next === null) return;
    ahead = next;
  }
}

/** The topmost folder of a path that is not entered; null where all of them are. */
function folderSkipper({ enterFolder }: ListOptions): (relative: string) => string | null {
  const answers = new Map<string, string | null>();
  const judge = (folder: string): string | null => {
    const known = answers.get(folder);
    if (known !== undefined) return known;
    const cut = folder.lastIndexOf('/');
    const above = cut === -1 ? null : judge(folder.slice(0, cut));
    const answer = above ?? (enterFolder(folder) ? null : folder);
    if (answers.size >= MAX_REMEMBERED) answers.clear();
    answers.set(folder, answer);
    return answer;
  };
  return (relative) => {
    const cut = relative.lastIndexOf('/');
    return cut === -1 ? null : judge(relative.slice(0, cut));
  };
}

function statusOf(bucket: string, { key, sizeBytes, etag, modifiedMs }: ListedObject): FileStatus {
  return {
    path: s3Location({ bucket, key }),
    sizeBytes,
    ...versionOf(etag, modifiedMs),
  };
}

/** Without those that another one covers: nothing is listed twice. */
function shortest(prefixes: readonly string[]): string[] {
  const kept: string[] = [];
  for (const prefix of [...prefixes].sort()) {
    if (!kept.some((other) => prefix.startsWith(other))) kept.push(prefix);
  }
  return kept;
}
