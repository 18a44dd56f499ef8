import { describe, expect, it } from 'vitest';
import { readEventMessage } from '../../../../lib/source/notifications/event-message.ts';

const record = (key: unknown, eventName: unknown = 'ObjectCreated:Put', bucket: unknown = 'b-1') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName,
  s3: { s3SchemaVersion: '1.0', bucket: { name: bucket }, object: { key, size: 3, eTag: 'x' } },
});
const read = (message: unknown) => readEventMessage(JSON.stringify(message));
const paths = (...names: string[]) => ({ kind: 'event', paths: names });

describe('messages about objects', () => {
  it("S3's own form: keys are encoded as in a form", () => {
    expect(read({ Records: [record('in/a+b%2Bc%C3%A9.ndjson'), record('in%2Fd')] })).toEqual(
      paths('s3://b-1/in/a b+cé.ndjson', 's3://b-1/in/d'),
    );
  });

  it("MinIO's form has its own names of events", () => {
    const message = { EventName: 's3:ObjectCreated:Put', Key: 'b-1/a', Records: [record('a')] };
    expect(read(message)).toEqual(paths('s3://b-1/a'));
    expect(read({ Records: [record('a', 's3:ObjectCreated:CompleteMultipartUpload')] })).toEqual(
      paths('s3://b-1/a'),
    );
  });

  it('inside a message of SNS', () => {
    const inner = { Type: 'Notification', Message: JSON.stringify({ Records: [record('a')] }) };
    expect(read(inner)).toEqual(paths('s3://b-1/a'));
    expect(read({ Type: 'Notification', Message: JSON.stringify(inner) })).toEqual(paths('s3://b-1/a'));
  });

  it('of EventBridge, where keys are as they are', () => {
    const message = {
      'detail-type': 'Object Created',
      source: 'aws.s3',
      detail: { bucket: { name: 'b-1' }, object: { key: 'a+b %41', size: 1 } },
    };
    expect(read(message)).toEqual(paths('s3://b-1/a+b %41'));
    expect(read({ ...message, 'detail-type': 'Object Deleted' })).toEqual(paths());
  });

  it('what is no news of an object is no hint, and no error', () => {
    expect(read({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b-1' })).toEqual(paths());
    expect(read({ Records: [] })).toEqual(paths());
    for (const event of ['ObjectRemoved:Delete', 's3:ObjectRemoved:DeleteMarkerCreated', 'ObjectTagging:Put'])
      expect(read({ Records: [record('a', event)] }), event).toEqual(paths());
    for (const key of ['', 'folder/', 'a//b', '../x', 'x'.repeat(2000)])
      expect(read({ Records: [record(key)] }), key).toEqual(paths());
    expect(read({ Records: [record('a', 'ObjectCreated:Put', 'no/bucket')] })).toEqual(paths());
  });

  it('anything else is unreadable', () => {
    let nested: unknown = { Records: [record('a')] };
    for (let i = 0; i < 10; i++) nested = { Message: JSON.stringify(nested) };
    for (const message of [
      nested,
      null,
      [],
      'text',
      {},
      { Records: [null] },
      { Records: [{ eventName: 'ObjectCreated:Put' }] },
      { Records: [record(7)] },
      { Records: [record('a', null)] },
      { Records: [record('a', 'ObjectCreated:Put', {})] },
      { Records: [record('%E0%A4%A')] },
      { 'detail-type': 'Object Created', detail: { bucket: {} } },
      { Message: 'hello' },
    ])
      expect(read(message), JSON.stringify(message)).toEqual({ kind: 'unreadable' });
    expect(readEventMessage('{"Records":[')).toEqual({ kind: 'unreadable' });
    expect(readEventMessage('')).toEqual({ kind: 'unreadable' });
  });
});
