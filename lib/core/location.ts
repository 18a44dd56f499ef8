/** Where things are: absolute paths on this machine, and `s3://bucket/key` in an object store. */
import path from 'node:path';

const S3_SCHEME = 's3://';

export function isS3Location(location: string): boolean {
  return location.startsWith(S3_SCHEME);
}

/** An absolute location: a path relative to `folder` where it is none, without a slash at its end. */
export function resolveLocation(folder: string, given: string): string {
  return isS3Location(given) ? given.replace(/(?<=[^/])\/+$/, '') : path.resolve(folder, given);
}

/** A name below a location. */
export function joinLocation(location: string, name: string): string {
  return location.endsWith('/') ? `${location}${name}` : `${location}/${name}`;
}

/** The last piece of a location, or of a path relative to one. */
export function nameOf(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

/** The location above; a bucket and `/` have none and stay as they are. */
export function parentLocation(location: string): string {
  if (!isS3Location(location)) return path.dirname(location);
  const cut = location.lastIndexOf('/');
  return cut < S3_SCHEME.length ? location : location.slice(0, cut);
}

export interface S3Location {
  readonly bucket: string;
  /** '' for the bucket itself. */
  readonly key: string;
}

export function parseS3Location(location: string): S3Location {
  const rest = location.slice(S3_SCHEME.length);
  const cut = rest.indexOf('/');
  return cut === -1
    ? { bucket: rest, key: '' }
    : { bucket: rest.slice(0, cut), key: rest.slice(cut + 1).replace(/\/+$/, '') };
}

export function s3Location({ bucket, key }: S3Location): string {
  return key === '' ? `${S3_SCHEME}${bucket}` : `${S3_SCHEME}${bucket}/${key}`;
}

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/i;
/** S3's own limit. */
const MAX_KEY_BYTES = 1024;

/** What is wrong with a location in an object store; null where nothing is. Globs are keys here. */
export function s3LocationProblem(location: string): string | null {
  const { bucket } = parseS3Location(location);
  if (!BUCKET_NAME.test(bucket)) return `'${bucket}' is no name of a bucket: expected s3://bucket/prefix`;
  const key = location.slice(S3_SCHEME.length + bucket.length + 1).replace(/\/$/, '');
  if (key === '') return null;
  // Some servers resolve these as a file system would, so that two keys would mean one object.
  if (key.split('/').some((segment) => ['', '.', '..'].includes(segment)))
    return "no '//' and no segments '.' and '..' in keys";
  return Buffer.byteLength(key) > MAX_KEY_BYTES / 2 ? `longer than ${MAX_KEY_BYTES / 2} bytes` : null;
}
