/** Messages about new objects, from real servers: what came is read long before the next listing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutBucketNotificationConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { readObject } from '../../lib/storage/s3/read-piece.ts';
import { sdkObjectStore } from '../../lib/storage/s3/sdk-object-store.ts';
import { freePort } from '../support/free-port.ts';
import { type Running, sluice, startSluice } from '../support/program.ts';
import { hasS3Server, S3Server, type S3ServerName } from '../support/s3-servers.ts';
import { hasSqsServer, SqsServer } from '../support/sqs-server.ts';
import { until } from '../support/until.ts';

const RETRY = { clock: systemClock, random: Math.random, timeoutMs: 5000 };
const TOKEN = 'a-token-of-the-test';

/** A job whose next listing is an hour away, over a server's buckets. */
class Scene {
  readonly server: S3Server;
  readonly store: ObjectStore;
  bucket = '';
  #folder = '';

  constructor(name: S3ServerName) {
    this.server = S3Server.start(name);
    this.store = sdkObjectStore(this.server.spec());
  }

  async begin(): Promise<void> {
    this.#folder = await mkdtemp(path.join(tmpdir(), 'sluice-notifications-'));
    this.bucket = await this.server.createBucket();
  }

  end(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  dispose(): void {
    this.store.close();
    this.server.dispose();
  }

  async put(key: string, id: number): Promise<void> {
    await this.store.put({ bucket: this.bucket, key }, Buffer.from(`{"id":${id}}\n`), {
      ifAbsent: false,
      metadata: {},
      final: false,
    });
  }

  async writeJob(notifications: string): Promise<string> {
    const file = path.join(this.#folder, 'job.yaml');
    await writeFile(
      file,
      `version: 1
job: told
state: ./state
parallelism: 1
checkpoint: { interval: 200ms }
source:
  path: s3://${this.bucket}/in
  include: ['**/*.ndjson']
  monitor_interval: 1h
  notifications: ${notifications}
  format: { type: ndjson, schema: [{name: id, type: int64}] }
sink:
  path: s3://${this.bucket}/lake
  format: { type: ndjson }
  bucket: { type: base_path }
  rolling: { on_checkpoint: true }
s3: { endpoint: '${this.server.endpoint}' }
`,
    );
    return file;
  }

  async startDaemon(job: string): Promise<Running> {
    const daemon = startSluice(['run', job]);
    onTestFinished(() => {
      daemon.child.kill('SIGKILL');
    });
    return daemon;
  }

  async ids(): Promise<number[]> {
    const { objects } = await this.store.list({ bucket: this.bucket, prefix: 'lake/part' });
    const ids: number[] = [];
    for (const { key } of objects) {
      const bytes = await readObject(this.store, { bucket: this.bucket, key }, RETRY);
      for (const line of Buffer.from(bytes ?? [])
        .toString()
        .trimEnd()
        .split('\n'))
        ids.push(Number(JSON.parse(line).id));
    }
    return ids.sort((a, b) => a - b);
  }

  async untilIds(...ids: number[]): Promise<void> {
    await until(`rows ${ids}`, async () => (await this.ids()).length >= ids.length);
    expect(await this.ids()).toEqual(ids);
  }
}

async function stop(daemon: Running): Promise<string> {
  daemon.child.kill('SIGTERM');
  const { code, stderr } = await daemon.ended;
  expect(code, stderr).toBe(0);
  return stderr;
}

describe.skipIf(!hasS3Server('minio'))('MinIO posts to the job', () => {
  let scene: Scene;
  let port: number;
  let client: S3Client;
  beforeAll(async () => {
    port = await freePort();
    process.env.MINIO_NOTIFY_WEBHOOK_ENABLE_SLUICE = 'on';
    process.env.MINIO_NOTIFY_WEBHOOK_ENDPOINT_SLUICE = `http://127.0.0.1:${port}/`;
    process.env.MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_SLUICE = TOKEN;
    scene = new Scene('minio');
    client = scene.server.client();
  });
  afterAll(() => {
    client.destroy();
    scene.dispose();
  });
  beforeEach(() => scene.begin());
  afterEach(() => scene.end());

  const tell = () =>
    client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: scene.bucket,
        NotificationConfiguration: {
          QueueConfigurations: [
            { QueueArn: 'arn:minio:sqs::SLUICE:webhook', Events: ['s3:ObjectCreated:*'] },
          ],
        },
      }),
    );

  const post = async (body: string, token = TOKEN, method = 'POST') =>
    (
      await fetch(`http://127.0.0.1:${port}/x`, {
        method,
        body,
        headers: { Authorization: `Bearer ${token}` },
      })
    ).status;

  it('an object is read long before the next listing, and what nobody told of by the next one', async () => {
    await scene.put('in/0.ndjson', 0);
    const job = await scene.writeJob(`{ type: http, listen: '127.0.0.1:${port}', token: ${TOKEN} }`);
    const daemon = await scene.startDaemon(job);
    await scene.untilIds(0);
    await scene.put('in/untold.ndjson', 3);
    await tell();
    await scene.put('in/sub folder/a+b é.ndjson', 1);
    await scene.put('else/9.ndjson', 9);
    await scene.put('in/9.csv', 9);
    await scene.put('in/.9.ndjson', 9);
    await scene.untilIds(0, 1);
    // Again, whole: the same ETag, and so the same object.
    await scene.put('in/0.ndjson', 0);
    await scene.put('in/2.ndjson', 2);
    await scene.untilIds(0, 1, 2);
    const stderr = await stop(daemon);
    expect(stderr).not.toContain(TOKEN);
    expect(stderr).not.toMatch(/warning/i);
    expect((await sluice(['backfill', job])).code).toBe(0);
    expect(await scene.ids()).toEqual([0, 1, 2, 3]);
  });

  it('hostile messages change nothing', async () => {
    const job = await scene.writeJob(`{ type: http, listen: '127.0.0.1:${port}', token: ${TOKEN} }`);
    const daemon = await scene.startDaemon(job);
    await until('the endpoint', () =>
      post('', TOKEN, 'POST').then(
        () => true,
        () => false,
      ),
    );
    expect(await post('{"Records":[]}', 'wrong')).toBe(401);
    expect(await post('{"Records":[]}')).toBe(200);
    expect(await post('junk')).toBe(400);
    expect(await post('{"Records":[{"eventName":"ObjectCreated:Put","s3":{}}]}')).toBe(400);
    expect(await post('x', TOKEN, 'DELETE')).toBe(405);
    // Beyond its limit the rest is not read: the sender may see the answer, or the end of the connection.
    expect([413, 0]).toContain(await post('x'.repeat(3 << 20)).catch(() => 0));
    const invented = (key: string, bucket = scene.bucket) => ({
      eventName: 's3:ObjectCreated:Put',
      s3: { bucket: { name: bucket }, object: { key } },
    });
    const Records = ['in/gone.ndjson', '../../etc/passwd', 'in', 'in/', '\0'].map((key) => invented(key));
    expect(
      await post(JSON.stringify({ Records: [...Records, invented('in/a.ndjson', 'other-bucket')] })),
    ).toBe(200);
    const flood = Array.from({ length: 5000 }, (_, i) => invented(`in/none-${i}.ndjson`));
    expect(await post(JSON.stringify({ Records: flood }))).toBe(200);
    await scene.put('in/1.ndjson', 1);
    expect(await post(JSON.stringify({ Records: [invented('in/1.ndjson')] }))).toBe(200);
    await scene.untilIds(1);
    expect(await stop(daemon)).toMatch(/is not about objects/);
    expect(await scene.ids()).toEqual([1]);
  });

  it('a port that is taken costs a warning, and is had once it is free', async () => {
    const holder = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    await tell();
    const job = await scene.writeJob(`{ type: http, listen: '127.0.0.1:${port}', token: ${TOKEN} }`);
    const daemon = await scene.startDaemon(job);
    await until('a warning', () => /cannot listen on 127/.test(daemon.stderr()));
    await new Promise((resolve) => holder.close(resolve));
    await until('the endpoint', () =>
      post('').then(
        () => true,
        () => false,
      ),
    );
    await scene.put('in/1.ndjson', 1);
    await scene.untilIds(1);
    await stop(daemon);
  });
});

describe.skipIf(!hasS3Server('versitygw') || !hasSqsServer())('a queue tells the job', () => {
  let scene: Scene;
  let queues: SqsServer;
  beforeAll(async () => {
    scene = new Scene('versitygw');
    queues = await SqsServer.start();
  });
  afterAll(async () => {
    scene.dispose();
    await queues.dispose();
  });
  beforeEach(() => scene.begin());
  afterEach(() => scene.end());

  const record = (key: string) => ({
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: scene.bucket }, object: { key: encodeURIComponent(key).replaceAll('%20', '+') } },
  });
  const send = (QueueUrl: string, message: unknown) =>
    queues.client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
      }),
    );

  /** Waiting, and received but not removed. */
  async function depth(QueueUrl: string): Promise<number> {
    const { Attributes = {} } = await queues.client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    const { ApproximateNumberOfMessages: waiting, ApproximateNumberOfMessagesNotVisible: taken } = Attributes;
    return Number(waiting) + Number(taken);
  }

  it('an object is read long before the next listing; messages are removed, all but foreign ones', async () => {
    const url = await queues.createQueue('told', 2);
    await scene.put('in/0.ndjson', 0);
    const daemon = await scene.startDaemon(
      await scene.writeJob(`{ type: sqs, queue_url: '${url}', region: us-east-1 }`),
    );
    await send(url, { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: scene.bucket });
    await scene.untilIds(0);
    await scene.put('in/a b.ndjson', 1);
    await send(url, { Records: [record('in/a b.ndjson')] });
    await scene.untilIds(0, 1);
    // Through SNS, repeated, for what is known and what was never there; more than one request takes.
    await scene.put('in/2.ndjson', 2);
    const wrapped = { Type: 'Notification', Message: JSON.stringify({ Records: [record('in/2.ndjson')] }) };
    for (let i = 0; i < 12; i++) {
      await send(url, wrapped);
      await send(url, { Records: [record('in/0.ndjson'), record(`in/none-${i}.ndjson`)] });
    }
    await send(url, 'somebody else’s');
    await scene.untilIds(0, 1, 2);
    await until('the queue is empty but for one', async () => (await depth(url)) === 1);
    await until('it tells of that one', () =>
      daemon.stderr().includes('is not about objects and stays there'),
    );
    await stop(daemon);
    await until('the foreign message', async () => {
      const { Messages = [] } = await queues.client.send(new ReceiveMessageCommand({ QueueUrl: url }));
      return Messages[0]?.Body === 'somebody else’s';
    });
    expect(await scene.ids()).toEqual([0, 1, 2]);
  });

  it('a queue that is not there, or goes away, costs a warning; the job goes on, and hears again once it is back', async () => {
    const url = await queues.createQueue('lost', 2);
    const daemon = await scene.startDaemon(
      await scene.writeJob(`{ type: sqs, queue_url: '${url}', region: us-east-1 }`),
    );
    await scene.put('in/1.ndjson', 1);
    await send(url, { Records: [record('in/1.ndjson')] });
    await scene.untilIds(1);
    await queues.kill();
    await until('a warning', () => /cannot use the queue/.test(daemon.stderr()));
    await queues.restart();
    // ElasticMQ forgets its queues: for a while there is a server and no such queue.
    const again = await queues.createQueue('lost', 2);
    expect(again).toBe(url);
    await scene.put('in/2.ndjson', 2);
    await send(url, { Records: [record('in/2.ndjson')] });
    await scene.untilIds(1, 2);
    const stderr = await stop(daemon);
    expect(stderr).toMatch(/New objects are found by the listing/);
  });
});
