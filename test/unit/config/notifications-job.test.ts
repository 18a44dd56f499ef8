import { describe, expect, test } from 'vitest';
import { jobToYaml } from '../../../lib/config/print-job.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import type { NotificationSpec } from '../../../lib/core/specs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

function jobOf(notifications: string, sourcePath = 's3://bucket/in') {
  const fileSystem = new MemoryFileSystem(new ManualClock(1000));
  const text = `version: 1
job: x
source: { path: '${sourcePath}', format: { type: ndjson }, notifications: ${notifications} }
sink: { path: ./lake }
s3: { region: eu-south-2, profile: team }
`;
  const read = (yaml: string) => {
    fileSystem.put('/jobs/job.yaml', yaml);
    return readJob('/jobs/job.yaml', { fileSystem, environment: {}, parallelism: 1 });
  };
  return { job: read(text), read };
}

async function specOf(notifications: string): Promise<NotificationSpec | null> {
  return (await jobOf(notifications).job).source.notifications;
}

describe('source.notifications', () => {
  test('http: loopback by default, IPv6 in brackets', async () => {
    expect(await specOf('{ type: http }')).toEqual({
      type: 'http',
      host: '127.0.0.1',
      port: 8089,
      token: null,
    });
    expect(await specOf("{ type: http, listen: '[::1]:9' }")).toMatchObject({ host: '::1', port: 9 });
    expect(await specOf("{ type: http, listen: '0.0.0.0:80', token: t }")).toMatchObject({ token: 't' });
  });

  test('sqs: the region is that of the URL, or of s3', async () => {
    const queue = 'https://sqs.eu-central-1.amazonaws.com/1/q';
    expect(await specOf(`{ type: sqs, queue_url: '${queue}' }`)).toEqual({
      type: 'sqs',
      queueUrl: queue,
      endpoint: null,
      region: 'eu-central-1',
      profile: 'team',
    });
    expect(await specOf("{ type: sqs, queue_url: 'http://127.0.0.1:9324/0/q' }")).toMatchObject({
      region: 'eu-south-2',
    });
    expect(await specOf(`{ type: sqs, queue_url: '${queue}', region: us-east-1 }`)).toMatchObject({
      region: 'us-east-1',
    });
  });

  test.each([
    ["{ type: http, listen: '0.0.0.0:8089' }", 'takes a `token`'],
    ["{ type: http, listen: '[::]:8089' }", 'takes a `token`'],
    ["{ type: http, listen: '127.0.0.1' }", 'expected host:port'],
    ["{ type: http, listen: '127.0.0.1:65536' }", 'a port up to 65535'],
    ['{ type: sqs }', 'queue_url'],
    ["{ type: sqs, queue_url: 'arn:aws:sqs:eu:1:q' }", 'the URL of a queue'],
    ['{ type: kafka }', 'expected http or sqs'],
  ])('%s: %s', async (notifications, message) => {
    await expect(jobOf(notifications).job).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('needs a source in an object store', async () => {
    await expect(jobOf('{ type: http }', '/in').job).rejects.toMatchObject({
      message: expect.stringContaining('has no s3:// path'),
    });
  });

  test('a printed job is the same job, and does not tell the token', async () => {
    for (const given of [
      "{ type: http, listen: '[::1]:9', token: secret }",
      "{ type: sqs, queue_url: 'http://h/q', endpoint: 'http://h' }",
    ]) {
      const { job, read } = jobOf(given);
      const printed = jobToYaml(await job);
      expect(printed).not.toContain('secret');
      const again = (await read(printed)).source.notifications;
      const before = (await job).source.notifications;
      expect(again).toEqual(before?.type === 'http' ? { ...before, token: '***' } : before);
    }
  });
});
