/** Hidden objects, read whole: each is smaller than a part of an upload. */
import { SluiceError } from '../../core/errors.ts';
import { parseS3Location } from '../../core/location.ts';
import type { PieceState } from '../recoverable-writer.ts';
import { objectStoreError } from './errors.ts';
import type { ObjectRef, ObjectStore } from './object-store.ts';
import { type RetryPolicy, withRetries } from './retrying-object-store.ts';

/** An object, whole; null where there is none. Connections that break are tried again. */
export async function readObject(
  store: ObjectStore,
  ref: ObjectRef,
  retry: RetryPolicy,
): Promise<Uint8Array | null> {
  return withRetries(retry, () => readOnce(store, ref));
}

async function readOnce(store: ObjectStore, ref: ObjectRef): Promise<Uint8Array | null> {
  const answer = await store.get(ref, { from: 0, to: null, ifMatch: null });
  if (answer === 'missing') return null;
  if (answer === 'empty') return new Uint8Array(0);
  if (answer === 'changed') throw new SluiceError('INTERNAL', 'a condition failed that was not made');
  const what = `cannot read s3://${ref.bucket}/${ref.key}`;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.chunks) {
      chunks.push(chunk);
      length += chunk.length;
    }
  } catch (error) {
    answer.cancel();
    const { code, message } = objectStoreError(what, error);
    throw new SluiceError(code, message, { retryable: true, cause: error });
  }
  if (length !== answer.objectBytes)
    throw new SluiceError('STORAGE_FAILED', `${what}: ${length} bytes came of ${answer.objectBytes}`, {
      hint: 'check the network; nothing is lost: start again',
      retryable: true,
    });
  return Buffer.concat(chunks, length);
}

/** @throws SluiceError PART_MISSING where it is gone or of another size */
export async function readPiece(
  store: ObjectStore,
  retry: RetryPolicy,
  piece: PieceState,
  hiddenPath: string,
): Promise<Uint8Array> {
  const bytes = await readObject(store, parseS3Location(piece.path), retry);
  if (bytes?.length === piece.lengthBytes) return bytes;
  throw pieceMissing(
    hiddenPath,
    bytes === null ? `${piece.path} is gone` : `${piece.path} has ${bytes.length} bytes`,
  );
}

export function pieceMissing(hiddenPath: string, why: string): SluiceError {
  return new SluiceError('PART_MISSING', `the open part ${hiddenPath} cannot be resumed: ${why}`, {
    hint: 'what a checkpoint counts on was deleted (by hand, or by a lifecycle rule): see "A lost upload" in docs/object-store.md',
    details: { path: hiddenPath },
  });
}
