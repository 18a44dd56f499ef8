/**
 * Makes pending files visible, whole, once. What a server answers to the request that does it proves nothing: a 200 may
 * stand for a Complete that did nothing (its upload was gone), a 404, 412 or 500 for one that worked (its answer was
 * lost, and this is the repetition). So the answer to every Complete is "unknown" until a look at the object has told:
 *
 *     Complete --> whatever --> HEAD: ours            done
 *                               HEAD: another's       TARGET_EXISTS
 *                               HEAD: nothing there   ListParts: all there   Complete again
 *                                                     ListParts: gone        HEAD for a while (a Complete may be
 *                                                                            under way), then PART_MISSING
 *
 * "Ours" is told by the metadata that the upload was begun with, the length, and the ETag where it has Amazon's form.
 */
import { sleep } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import { parseS3Location } from '../../core/location.ts';
import type { S3Spec } from '../../core/specs.ts';
import type { PendingFile, UploadState } from '../recoverable-writer.ts';
import { bare, completedEtag } from './etag.ts';
import { PART_METADATA, partMetadata } from './hidden-objects.ts';
import type { ObjectHead, ObjectStore } from './object-store.ts';
import { readObject } from './read-piece.ts';
import { pauseOf, type RetryPolicy } from './retrying-object-store.ts';

/** How long an upload that is neither listed nor an object may be on its way from the one to the other. */
const UNDER_WAY_MS = 10_000;

export interface PublishContext {
  readonly store: ObjectStore;
  readonly retry: RetryPolicy;
  readonly spec: S3Spec;
}

/** @throws SluiceError PART_MISSING, TARGET_EXISTS, and what the storage throws once it is not worth trying again */
export async function publish(file: PendingFile, context: PublishContext): Promise<void> {
  failpoint('s3.publish.before');
  if (!context.spec.conditionalWrites && (await judge(file, context)) === 'ours') return;
  if (file.upload === undefined) await putWhole(file, context);
  else await complete(file, file.upload, context);
  failpoint('s3.publish.after');
}

/** A file that never filled a part of an upload. */
async function putWhole(file: PendingFile, context: PublishContext): Promise<void> {
  const { store, retry, spec } = context;
  const bytes: Uint8Array[] = [];
  for (const piece of file.pieces ?? []) {
    const read = await readObject(store, parseS3Location(piece.path), retry);
    if (read === null || read.length !== piece.lengthBytes) return provePublished(file, context, piece.path);
    bytes.push(read);
  }
  const put = await store.put(parseS3Location(file.finalPath), Buffer.concat(bytes), {
    ifAbsent: spec.conditionalWrites,
    metadata: partMetadata(file.hiddenPath),
    final: true,
  });
  // Refused: by somebody else's object, or by our own of a request whose answer was lost.
  if (!put) await provePublished(file, context, null);
}

async function complete(file: PendingFile, upload: UploadState, context: PublishContext): Promise<void> {
  const { store, spec } = context;
  const { clock, random, timeoutMs } = context.retry;
  const ref = parseS3Location(file.finalPath);
  const until = clock.elapsed() + timeoutMs;
  let goneSinceMs: number | null = null;
  for (let attempts = 1; ; attempts++) {
    let answer: string;
    try {
      answer = await store.completeUpload(ref, upload.id, upload.parts, spec.conditionalWrites);
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (!error.retryable || clock.elapsed() > until) throw error;
      answer = error.message;
    }
    failpoint('s3.complete.answered');
    if ((await judge(file, context)) === 'ours') return;
    const parts = await store.listParts(ref, upload.id);
    if (parts === null) {
      goneSinceMs ??= clock.elapsed();
      if (clock.elapsed() - goneSinceMs > Math.min(UNDER_WAY_MS, timeoutMs))
        throw lost(file, 'its upload is gone');
    } else {
      goneSinceMs = null;
      const there = new Map(parts.map((part) => [part.number, bare(part.etag)]));
      const missing = upload.parts.find((part) => there.get(part.number) !== bare(part.etag));
      if (missing !== undefined)
        throw lost(file, `piece ${missing.number} of its upload is gone or another one`);
    }
    if (clock.elapsed() > until) {
      throw new SluiceError(
        'STORAGE_FAILED',
        `${file.finalPath} is not visible after ${attempts} requests to complete it; the last answer: ${answer}`,
        { hint: 'its upload is there: start again once the storage is well', retryable: true },
      );
    }
    await sleep(clock, pauseOf(attempts, random));
  }
}

/** @throws SluiceError TARGET_EXISTS where another object has the name */
async function judge(file: PendingFile, { store }: PublishContext): Promise<'ours' | 'absent'> {
  const head = await store.head(parseS3Location(file.finalPath));
  if (head === null) return 'absent';
  const why = difference(file, head);
  if (why === null) return 'ours';
  throw new SluiceError(
    'TARGET_EXISTS',
    `${file.finalPath} stands where a part has to be published, and it ${why}`,
    {
      hint: 'sluice never replaces an object: move it away, then start again',
      details: { path: file.finalPath },
    },
  );
}

function difference(file: PendingFile, head: ObjectHead): string | null {
  if (head.metadata[PART_METADATA] !== partMetadata(file.hiddenPath)[PART_METADATA]) return 'is not ours';
  if (head.sizeBytes !== file.lengthBytes)
    return `has ${head.sizeBytes} bytes instead of ${file.lengthBytes}`;
  const expected = file.upload === undefined ? null : completedEtag(file.upload.parts);
  // Encrypted objects may have ETags of another form.
  const comparable = expected !== null && /^[0-9a-f]{32}-\d+$/.test(bare(head.etag));
  return comparable && bare(head.etag) !== expected
    ? `has the ETag ${head.etag} instead of ${expected}`
    : null;
}

/** What it was to be made of is gone: it must have been published before, by us. */
async function provePublished(
  file: PendingFile,
  context: PublishContext,
  piece: string | null,
): Promise<void> {
  if ((await judge(file, context)) === 'ours') return;
  throw lost(file, piece === null ? 'the server refuses it, and it is not there' : `${piece} is gone`);
}

function lost(file: PendingFile, why: string): SluiceError {
  return new SluiceError(
    'PART_MISSING',
    `the part ${file.finalPath} was promised by a checkpoint, and it cannot be published: ${why}`,
    {
      hint: 'rows that were taken from the source are lost with it: see "A lost upload" in docs/object-store.md',
      details: { path: file.finalPath },
    },
  );
}
