/**
 * What a message about objects says: S3's own form (as MinIO, Ceph and others send it too), inside one of SNS, or that of
 * EventBridge. Messages come from outside: whatever does not have the form of one is unreadable, and nothing throws.
 */
import { s3LocationProblem } from '../../core/location.ts';

export type EventMessage =
  /** Objects that came; empty where it tells of other things, such as a deletion. */
  { readonly kind: 'event'; readonly paths: readonly string[] } | { readonly kind: 'unreadable' };

const NOTHING: EventMessage = { kind: 'event', paths: [] };
const UNREADABLE: EventMessage = { kind: 'unreadable' };
/** `ObjectCreated:Put`, `s3:ObjectCreated:Copy`, `ObjectRestore:Completed`, `Object Created`. */
const CAME = /^(?:s3:)?Object ?(?:Created|Restore)/;
/** SNS in SNS happens; more is somebody's game. */
const MAX_WRAPPERS = 3;

export function readEventMessage(text: string, wrappers = 0): EventMessage {
  const message = parsed(text);
  if (message === null) return UNREADABLE;
  const { Records: records, detail, Message: inner } = message;
  if (Array.isArray(records)) return fromRecords(records);
  if (typeof message['detail-type'] === 'string' && isObject(detail))
    return fromEventBridge(message['detail-type'], detail);
  if (message.Event === 's3:TestEvent') return NOTHING;
  if (typeof inner === 'string' && wrappers < MAX_WRAPPERS) return readEventMessage(inner, wrappers + 1);
  return UNREADABLE;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function fromRecords(records: readonly unknown[]): EventMessage {
  const paths: string[] = [];
  for (const record of records) {
    if (!isObject(record) || typeof record.eventName !== 'string' || !isObject(record.s3)) return UNREADABLE;
    const { bucket, object } = record.s3;
    if (!isObject(bucket) || typeof bucket.name !== 'string') return UNREADABLE;
    if (!isObject(object) || typeof object.key !== 'string') return UNREADABLE;
    if (!CAME.test(record.eventName)) continue;
    const key = decoded(object.key);
    if (key === null) return UNREADABLE;
    addPath(paths, bucket.name, key);
  }
  return { kind: 'event', paths };
}

/** Keys are not encoded there. */
function fromEventBridge(type: string, { bucket, object }: Record<string, unknown>): EventMessage {
  if (!isObject(bucket) || typeof bucket.name !== 'string') return UNREADABLE;
  if (!isObject(object) || typeof object.key !== 'string') return UNREADABLE;
  const paths: string[] = [];
  if (CAME.test(type)) addPath(paths, bucket.name, object.key);
  return { kind: 'event', paths };
}

/** Names that are no paths of ours (a folder's placeholder, `a//b`) are left to the listing. */
function addPath(paths: string[], bucket: string, key: string): void {
  const path = `s3://${bucket}/${key}`;
  if (key !== '' && !key.endsWith('/') && s3LocationProblem(path) === null) paths.push(path);
}

/** Keys are encoded as in a form: `a+b%2Bc`. */
function decoded(key: string): string | null {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
