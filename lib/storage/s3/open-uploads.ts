/**
 * Uploads that were begun and neither completed nor aborted, as the server tells them. That is not always all there are,
 * so this is for tidying up and for nothing else: what a checkpoint needs stands in the checkpoint.
 */
import { parseS3Location, s3Location } from '../../core/location.ts';
import type { UnfinishedUpload, UnfinishedUploads } from '../file-system.ts';
import type { ObjectStore } from './object-store.ts';

/** 100,000 uploads: what is left then is tidied up another time. */
const MAX_PAGES = 100;

export function openUploads(store: ObjectStore): UnfinishedUploads {
  return {
    async *list(folder): AsyncGenerator<readonly UnfinishedUpload[]> {
      const { bucket, key } = parseS3Location(folder);
      const prefix = key === '' ? '' : `${key}/`;
      let marker: string | null = null;
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await store.listUploads(bucket, prefix, marker);
        yield answer.uploads
          .filter((upload) => upload.key.startsWith(prefix))
          .map((upload) => ({
            path: s3Location({ bucket, key: upload.key }),
            uploadId: upload.uploadId,
            startedMs: upload.startedMs,
            sizeBytes: 0,
          }));
        marker = answer.keyMarker;
        if (marker === null) return;
      }
    },
    async abort(path, uploadId) {
      const ref = parseS3Location(path);
      const wasThere = (await store.listParts(ref, uploadId)) !== null;
      if (wasThere) await store.abortUpload(ref, uploadId);
      return wasThere;
    },
  };
}
