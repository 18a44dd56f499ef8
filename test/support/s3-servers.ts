/**
 * Real S3 servers for tests, started by s3-server.sh beside this file (or the script that SLUICE_S3_SCRIPT names).
 * Where a server was not built, its tests are skipped, and say so; on CI that is an error, unless SLUICE_WITHOUT_S3 is
 * set (.ci/run sets it where there is no Go to build them with).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_S3, type S3Spec } from '../../lib/core/specs.ts';

const SCRIPT = process.env.SLUICE_S3_SCRIPT ?? path.join(import.meta.dirname, 's3-server.sh');

export type S3ServerName = 'versitygw' | 'minio';
export const S3_SERVERS: readonly S3ServerName[] = ['versitygw', 'minio'];

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** Whether a server was built. @throws on CI where it was not: what CI skips, nobody tests */
export function hasS3Server(name: S3ServerName): boolean {
  const { status } = spawnSync('bash', [SCRIPT, 'installed'], {
    env: { ...process.env, SLUICE_S3_SERVER: name },
  });
  if (status === 0) return true;
  if (process.env.CI === 'true' && process.env.SLUICE_WITHOUT_S3 === undefined)
    throw new Error(`${name} is not built: run ${SCRIPT} install`);
  console.warn(`skipped: ${name} is not built (SLUICE_S3_SERVER=${name} test/support/s3-server.sh install)`);
  return false;
}

export class S3Server {
  readonly name: S3ServerName;
  readonly endpoint: string;
  /** What a program needs to reach it: credentials, region, endpoint. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  #nextBucket = 0;

  private constructor(name: S3ServerName, folder: string, env: Record<string, string>) {
    this.name = name;
    this.#folder = folder;
    this.endpoint = env.S3_ENDPOINT ?? '';
    this.env = { ...env, AWS_ENDPOINT_URL_S3: this.endpoint };
  }

  /** Starts a server on a folder of its own, and puts its credentials into this process's environment. */
  static start(name: S3ServerName): S3Server {
    const folder = mkdtempSync(path.join(tmpdir(), `sluice-${name}-`));
    const server = new S3Server(name, folder, run(name, folder, 'start'));
    Object.assign(process.env, server.env);
    return server;
  }

  spec(overrides: Partial<S3Spec> = {}): S3Spec {
    return {
      ...DEFAULT_S3,
      endpoint: this.endpoint,
      region: 'us-east-1',
      pathStyle: true,
      ...overrides,
    };
  }

  async createBucket(): Promise<string> {
    const bucket = `bucket-${process.pid}-${this.#nextBucket++}`;
    const client = this.client();
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    return bucket;
  }

  client(): S3Client {
    return new S3Client({ endpoint: this.endpoint, region: 'us-east-1', forcePathStyle: true });
  }

  /** As a crash does it. The data stays. */
  kill(): void {
    run(this.name, this.#folder, 'stop', '-9');
  }

  /** On the same data and port. */
  restart(): void {
    run(this.name, this.#folder, 'start');
  }

  dispose(): void {
    run(this.name, this.#folder, 'stop', '-9');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns the variables that the script exports */
function run(name: S3ServerName, folder: string, ...args: string[]): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const text = execFileSync('bash', [SCRIPT, ...args], {
    env: { ...process.env, SLUICE_S3_SERVER: name, SLUICE_S3_DATA: folder },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return Object.fromEntries(
    [...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, key, value]) => [key ?? '', value ?? '']),
  );
}
