/** Jobs that read from, write to, and keep their state in an object store. */

import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { randomIds } from '../../lib/core/ids.ts';
import { DEFAULT_S3, type OutputFormatSpec, type S3Spec } from '../../lib/core/specs.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { RoutedFileSystem } from '../../lib/storage/open-file-system.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { S3FileSystem } from '../../lib/storage/s3/s3-file-system.ts';
import { inlineSubtasks } from './inline-subtasks.ts';
import { rollingBySizeAndTime, schemaOf, type TestJobOptions, testJob } from './job.ts';

/** Parts of uploads that small come together in a test; a real server would refuse them. */
const SMALL_PARTS: S3Spec = { ...DEFAULT_S3, partBytes: 20_000, retryTimeoutMs: 3000 };

const GENERATED = schemaOf({
  id: 'string',
  ts: 'timestamp(ms)',
  n: 'int64',
  price: 'float64',
  ok: 'boolean',
  country: 'string',
  note: 'string',
  tags: 'list<string>',
});

/** Input `s3://<bucket>/in`, lake `s3://<bucket>/lake`, state `s3://<bucket>/state/job`. */
export function objectStoreJob(
  bucket: string,
  format: OutputFormatSpec,
  options: TestJobOptions = {},
): CompiledJob {
  return testJob('/nowhere', {
    statePath: `s3://${bucket}/state/job`,
    checkpoint: { intervalMs: 1, retain: 2 },
    memoryBytes: 256 * 1024,
    eventTime: { column: 'ts', unit: 'ms' },
    s3: SMALL_PARTS,
    ...options,
    source: { paths: [`s3://${bucket}/in`], schema: GENERATED, ...options.source },
    sink: {
      path: `s3://${bucket}/lake`,
      format: format.type === 'parquet' ? { ...format, rowGroupBytes: 64 * 1024 } : format,
      bucket: { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: 'UTC' },
      rolling: rollingBySizeAndTime({ partSizeBytes: 60_000 }),
      ...options.sink,
    },
  });
}

/** Each call makes what a process of its own would have, over the one store. */
export function storageOf(store: ObjectStore, spec: S3Spec): (runId: string) => RoutedFileSystem {
  return (runId) =>
    new RoutedFileSystem(
      localFileSystem(runId),
      async () => new S3FileSystem({ store, spec, runId, clock: systemClock, ids: randomIds }),
    );
}

/** Runs a job to the end of its input, in this thread. */
export function runOnce(job: CompiledJob, store: ObjectStore) {
  const fileSystem = storageOf(store, job.s3);
  return runJob(job, {
    mode: 'once',
    fileSystem,
    startSubtask: (config, receive) => inlineSubtasks(fileSystem(config.runId), systemClock)(config, receive),
  });
}
