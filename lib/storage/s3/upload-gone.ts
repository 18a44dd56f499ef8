/** The error for an upload that a server does not know any more. */
import { SluiceError } from '../../core/errors.ts';
import { s3Location } from '../../core/location.ts';
import type { ObjectRef } from './object-store.ts';

export function uploadGone(ref: ObjectRef): SluiceError {
  return new SluiceError(
    'PART_MISSING',
    `the upload of ${s3Location(ref)} is gone: it was aborted, or a lifecycle rule of the bucket removed it`,
    {
      hint: 'what was uploaded of this part cannot be had back, and a checkpoint counts on it: see "A lost upload" in docs/object-store.md',
      details: { path: s3Location(ref) },
    },
  );
}
