/** Keeps bucket ids inside the sink's path, and visible to readers. */
import { SluiceError } from '../lib/core/errors.ts';

/** What file systems and object stores take as one name. */
const MAX_SEGMENT_BYTES = 255;
/** Longer ids leave no room for the base path and the part's name within PATH_MAX (4,096) or an S3 key (1,024). */
const MAX_ID_BYTES = 768;

/**
 * Checks a bucket id that comes from data or from user code: a relative path, `/` between levels, '' for the base path
 * itself. Every id passes here once before a folder of that name is made.
 * @throws SluiceError PATH_ESCAPE
 */
export function confine(bucketId: string): string {
  const why = problemOf(bucketId);
  if (why !== null) {
    throw new SluiceError(
      'PATH_ESCAPE',
      `${JSON.stringify(shortened(bucketId))} cannot be a bucket: ${why}`,
      {
        details: { bucketId: shortened(bucketId) },
        hint: 'a bucket is a folder below the base path; give each level a name that readers list',
      },
    );
  }
  return bucketId;
}

/** Why an id is refused, or null. */
function problemOf(bucketId: string): string | null {
  if (bucketId === '') return null;
  if (bucketId.includes('\\')) return 'a backslash parts folders on some systems';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(bucketId)) return 'it holds a control character';
  // Two ids that differ in broken surrogates only would be one folder, as both become U+FFFD in UTF-8.
  if (/\p{Surrogate}/u.test(bucketId)) return 'it holds half a surrogate pair';
  if (Buffer.byteLength(bucketId) > MAX_ID_BYTES) return `it is longer than ${MAX_ID_BYTES} bytes`;
  for (const segment of bucketId.split('/')) {
    if (segment === '') return "it begins or ends with '/', or holds '//'";
    if (segment === '.' || segment === '..') return `it holds the level '${segment}', which leads elsewhere`;
    if (segment.startsWith('.') || segment.startsWith('_')) {
      return "readers skip folders whose name starts with '.' or '_', so its rows would never be seen";
    }
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      return `a level is longer than ${MAX_SEGMENT_BYTES} bytes`;
    }
  }
  return null;
}

function shortened(bucketId: string): string {
  return bucketId.length > 200 ? `${bucketId.slice(0, 200)}...` : bucketId;
}
