/**
 * A real SQS server for tests, by sqs-server.sh beside this file. Where it was not fetched its tests are skipped, and say
 * so; on CI that is an error, unless SLUICE_WITHOUT_SQS is set (.ci/run sets it where there is no Maven to fetch it with).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const SCRIPT = path.join(import.meta.dirname, 'sqs-server.sh');

/** Whether the server was fetched. @throws on CI where it was not: what CI skips, nobody tests */
export function hasSqsServer(): boolean {
  if (spawnSync('bash', [SCRIPT, 'installed']).status === 0) return true;
  if (process.env.CI === 'true' && process.env.SLUICE_WITHOUT_SQS === undefined)
    throw new Error(`there is no SQS server: run ${SCRIPT} install`);
  console.warn('skipped: there is no SQS server (test/support/sqs-server.sh install)');
  return false;
}

export class SqsServer {
  readonly endpoint: string;
  readonly client: SQSClient;
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.#port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    this.client = new SQSClient({ endpoint: this.endpoint, region: 'us-east-1', credentials });
  }

  static async start(): Promise<SqsServer> {
    const server = new SqsServer(await freePort());
    await server.restart();
    return server;
  }

  /** On the same port, without a queue. */
  async restart(): Promise<void> {
    this.#process = spawn('bash', [SCRIPT, 'run', String(this.#port)], { stdio: 'ignore' });
    await until('the SQS server', () =>
      fetch(`${this.endpoint}/health`).then(
        () => true,
        () => false,
      ),
    );
  }

  /** @param visibilitySeconds how long a message that was received is not given to others */
  async createQueue(name: string, visibilitySeconds: number): Promise<string> {
    const Attributes = { VisibilityTimeout: String(visibilitySeconds) };
    const { QueueUrl } = await this.client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    if (QueueUrl === undefined) throw new Error('the queue has no URL');
    return QueueUrl;
  }

  async kill(): Promise<void> {
    const killed = this.#process;
    this.#process = null;
    if (killed === null) return;
    const gone = once(killed, 'exit');
    killed.kill('SIGKILL');
    await gone;
  }

  async dispose(): Promise<void> {
    this.client.destroy();
    await this.kill();
  }
}
