/** Runs a job: takes hold of its state, recovers, starts the subtasks, and sees it through to its end. */
import { createInputFormat } from '../../formats/input-format.ts';
import { replayInput } from '../../formats/replay/input.ts';
import { checkBadRecords } from '../commit/bad-record-limits.ts';
import { type Checkpoint, openPartsOf } from '../commit/checkpoint.ts';
import { CheckpointCoordinator } from '../commit/checkpoint-coordinator.ts';
import { Committer } from '../commit/committer.ts';
import { type WithoutDropped, withoutDropped } from '../commit/dropped-partitions.ts';
import { jobFingerprint } from '../commit/fingerprint.ts';
import { holdJob, type JobHolder } from '../commit/hold-job.ts';
import type { JobState } from '../commit/job-state.ts';
import { proveLakeStays } from '../commit/lake-marker.ts';
import { switchLane } from '../commit/lanes.ts';
import { findStaleUploads, tidyUp, writtenFolders } from '../commit/leftovers.ts';
import { replacedFiles } from '../commit/partitions/replaced-files.ts';
import type { Publication } from '../commit/publication.ts';
import { SourceCleaner } from '../commit/source-cleaner.ts';
import { NO_COMPACTION } from '../commit/swap.ts';
import type { Compaction } from '../compaction/compaction.ts';
import { compactionBeside } from '../compaction/create-compaction.ts';
import { threadMerging } from '../compaction/merge-host.ts';
import { ledgerOf } from '../compaction/proven-parts.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { type Ids, newRunId, randomIds } from '../core/ids.ts';
import { noStageTimes } from '../core/stage-clock.ts';
import type { SplitEnumeratorContext } from '../source/enumerator-options.ts';
import { FileSource } from '../source/file-source.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { openFileSystem } from '../storage/open-file-system.ts';
import { openPublication } from '../tables/open-publication.ts';
import { Coordinator } from './coordinator.ts';
import { firstSchema } from './first-schema.ts';
import { summarize } from './job-summary.ts';
import { createPartitionCommits, proveAnnounced, restoreWatermarks } from './partition-setup.ts';
import type { JobEvent, JobSummary } from './progress.ts';
import { droppedWarning, openSplits, readDiscovery, subtaskConfigs } from './recovery.ts';
import { replaySource } from './replay-source.ts';
import type { RunOptions } from './run-options.ts';
import { SchemaRegistry } from './schema-registry.ts';
import { shutdownTimeout } from './shutdown-timeout.ts';
import { captureSource } from './source-capture.ts';
import { type SubtaskHost, threadSubtasks } from './subtask-host.ts';
import { WakeUp } from './wake-up.ts';

/**
 * @throws SluiceError whatever ended the job. Everything that a checkpoint holds is safe, and the next start goes on
 *   from there.
 */
export async function runJob(job: CompiledJob, options: RunOptions): Promise<JobSummary> {
  const clock = options.clock ?? systemClock;
  const ids = options.ids ?? randomIds;
  const runId = newRunId(ids);
  const onWarning = (message: string) =>
    options.onEvent?.({ type: 'warning', code: 'storage-retried', message });
  const fileSystem =
    options.fileSystem?.(runId) ?? openFileSystem({ runId, s3: job.s3, clock, ids, onWarning });
  const holder = { fileSystem, runId, clock, ids };
  return holdJob(job, holder, async (state) => {
    const lane = switchLane(state.base, options.replay === undefined ? 'source' : 'replay');
    const left = await withoutDropped(lane, options.acceptMissing ?? [], job.sink.path, fileSystem);
    return new JobRun(job, options, { ...state, base: left.base }, left, holder).run();
  });
}

class JobRun {
  readonly #job: CompiledJob;
  readonly #options: RunOptions;
  readonly #state: JobState;
  readonly #dropped: Omit<WithoutDropped, 'base'>;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #runId: string;
  readonly #startedAt: number;
  #waitingWarned = false;

  constructor(
    job: CompiledJob,
    options: RunOptions,
    state: JobState,
    dropped: Omit<WithoutDropped, 'base'>,
    { fileSystem, runId, clock, ids }: JobHolder,
  ) {
    this.#job = job;
    this.#options = options;
    this.#state = state;
    this.#dropped = dropped;
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#ids = ids;
    this.#runId = runId;
    this.#startedAt = clock.elapsed();
  }

  async run(): Promise<JobSummary> {
    const { base, store, fresh } = this.#state;
    if (this.#dropped.folders.length > 0) this.#event(droppedWarning(this.#dropped));
    const committer = new Committer(this.#fileSystem.recoverableWriter, base.committables);
    const publication = await openPublication(this.#job, base, {
      ...{ committer, fileSystem: this.#fileSystem, clock: this.#clock },
      ids: this.#ids,
    });
    // Whether or not parts are still to be merged: what a checkpoint promised is done.
    const { parts: committed } = await publication.publish(base);
    if (!fresh)
      this.#event({
        type: 'recovered',
        checkpointId: base.id,
        openParts: openPartsOf(base).length,
        committed: committed.length,
      });
    // Hidden files of this run carry its id, so this may go on beside it.
    const folders = writtenFolders(this.#job);
    const { jobId } = base;
    const leftovers = {
      jobName: this.#job.name,
      jobId,
      runId: this.#runId,
      needed: [...store.retained],
      replaced: replacedFiles(this.#job),
    };
    const uploads = await findStaleUploads(this.#fileSystem, folders, leftovers);
    const stopTidying = new AbortController();
    const tidying = tidyUp(
      this.#fileSystem,
      folders,
      leftovers,
      uploads,
      this.#state.proveOwner,
      stopTidying.signal,
    ).catch((error: unknown) =>
      this.#event({
        type: 'warning',
        code: 'leftovers',
        message: `leftovers of dead runs stay: ${SluiceError.from(error).message}`,
      }),
    );
    try {
      const schemas = await this.#openSchema();
      if (schemas === null) return this.#summary(base, 0, this.#options.signal?.aborted ?? false);
      return await this.#runSubtasks(schemas, committer, publication);
    } catch (error) {
      stopTidying.abort();
      throw error;
    } finally {
      // It removes files by what this run knows of the job: it must be over before another run may begin.
      await tidying;
    }
  }

  /** The schema of the job file, or of the first files there are; null where the job ends before there is one. */
  async #waitForSchema(): Promise<Schema | null> {
    const wakeUp = new WakeUp(this.#clock);
    const stop = () => wakeUp.signal();
    this.#options.signal?.addEventListener('abort', stop);
    try {
      for (;;) {
        const schema = await this.#tryFirstSchema();
        if (schema !== null || this.#options.mode === 'once' || this.#options.signal?.aborted) return schema;
        await wakeUp.wait(this.#job.source.monitorIntervalMs);
        if (this.#options.signal?.aborted) return null;
      }
    } finally {
      this.#options.signal?.removeEventListener('abort', stop);
    }
  }

  /** A daemon outwaits files that show no schema yet, such as an empty one that came first. */
  async #tryFirstSchema(): Promise<Schema | null> {
    try {
      return await firstSchema(this.#job, this.#fileSystem, this.#clock);
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code !== 'SCHEMA_UNKNOWN' || this.#options.mode === 'once') throw error;
      if (!this.#waitingWarned) {
        this.#waitingWarned = true;
        const message = `${error.message}; waiting for more files`;
        this.#event({ type: 'warning', code: 'schema-unknown', message });
      }
      return null;
    }
  }

  /** The schema that this run begins with; null where the job ends before there is one. @throws SluiceError JOB_MISMATCH */
  async #openSchema(): Promise<SchemaRegistry | null> {
    const { id, schema, schemaHistory = [], columns = null } = this.#state.base;
    const stored = schema === null ? null : { schema, history: schemaHistory };
    const { schema: spec } = this.#job.source;
    const given = spec === 'infer' ? null : spec;
    const first = stored === null ? await this.#waitForSchema() : given;
    if (stored === null && first === null) return null;
    return SchemaRegistry.start(stored, first, this.#job, id + 1, this.#clock.now(), columns);
  }

  async #runSubtasks(
    schemas: SchemaRegistry,
    committer: Committer,
    publication: Publication,
  ): Promise<JobSummary> {
    const { base, store } = this.#state;
    await publication.prepare(schemas.columns?.schema ?? schemas.schema);
    const job = this.#job;
    const hosts: SubtaskHost[] = [];
    const source = await this.#createSource({
      assignSplit: (subtask, split, ahead) => coordinator.assign(subtask, split, ahead),
      signalNoMoreSplits: (subtask) => coordinator.drained(subtask),
      quotaUsedUp: () => coordinator.checkpointSoon(),
      fail: (error) => coordinator.fail(error),
    });
    const { enumerator } = source;
    const cleaner = this.#createCleaner(source);
    // Before the first scan: a file that has the name of one that went is new.
    await cleaner?.clean(base);
    await cleaner?.dropReplaced();
    const watermarks = restoreWatermarks(job, base, this.#clock);
    const partitions = await createPartitionCommits(job, base, this.#fileSystem, this.#clock, {
      onChange: () => coordinator.partitionsChanged(),
      onWarning: (message) => this.#event({ type: 'warning', code: 'partition-commit', message }),
      onBroken: (error) => coordinator.fail(SluiceError.from(error)),
    });
    const compaction = this.#createCompaction(publication);
    const checkpoints = new CheckpointCoordinator({
      store,
      committer,
      publication,
      fileSystem: this.#fileSystem,
      clock: this.#clock,
      runId: this.#runId,
      retain: job.checkpoint.retain,
      subtasks: job.parallelism,
      dropped: this.#dropped.parts,
      proveLake: () => proveLakeStays(this.#fileSystem, job.sink.path, job.name, base.jobId),
      base: {
        ...base,
        fingerprint: jobFingerprint(job),
        schema: schemas.schema,
        ...(base.compaction === undefined ? {} : { compaction: { ...base.compaction, swaps: [] } }),
      },
      capture: (all) => captureSource(enumerator, schemas, job, this.#options.replay !== undefined, all),
      ask: (subtask, checkpointId, request) =>
        hosts[subtask]!.send({ type: 'snapshot', checkpointId, ...request }),
      watermarks,
      checkTotals: (totals, atEnd) =>
        checkBadRecords(
          job.source.badRecordLimits,
          { ...totals, quarantined: (totals.quarantined ?? 0) - (totals.replayed ?? 0) },
          atEnd,
        ),
      takeEndedFiles: (held) => coordinator.takeEndedFiles(held),
      cleaner,
      partitions,
      compaction,
    });
    const coordinator: Coordinator = new Coordinator({
      subtasks: job.parallelism,
      send: (subtask, message) => hosts[subtask]!.send(message),
      enumerator,
      checkpoints,
      compaction,
      schemas,
      checkpointIntervalMs: job.checkpoint.intervalMs,
      clock: this.#clock,
      watermarks,
      partitions,
      onEvent: (event) => this.#event(event),
      onProgress: (progress) => this.#options.onProgress?.(progress),
    });
    let cancelTimeout = () => {};
    const stop = () => {
      cancelTimeout = this.#stop(coordinator);
    };
    this.#options.signal?.addEventListener('abort', stop);
    if (this.#options.signal?.aborted) stop();
    try {
      const start = this.#options.startSubtask ?? threadSubtasks(null);
      const configs = subtaskConfigs(job, base, schemas, {
        runId: this.#runId,
        segmentsFolder: store.segmentsFolder,
        replay: this.#options.replay !== undefined,
      });
      for (const config of configs) hosts.push(start(config, (message) => coordinator.receive(message)));
      source.start();
      partitions?.resume();
      compaction?.scan().catch((error: unknown) => coordinator.fail(SluiceError.from(error)));
      const end = await coordinator.run();
      if (end === 'finished') proveAnnounced(partitions);
      return this.#summary(checkpoints.last, coordinator.checkpointsTaken, end === 'stopped', coordinator);
    } finally {
      cancelTimeout();
      this.#options.signal?.removeEventListener('abort', stop);
      await source.close();
      await partitions?.close(0);
      await compaction?.stop();
      await Promise.all(hosts.map((host) => host.terminate()));
    }
  }

  #createCleaner(source: FileSource): SourceCleaner | null {
    const policy = this.#job.source.afterCommit;
    // The files of a replay are not the source's.
    if (policy.kind === 'keep' || this.#options.replay !== undefined) return null;
    return new SourceCleaner({
      fileSystem: this.#fileSystem,
      policy,
      folders: source.folders,
      source: source.enumerator,
      warnings: source.warnings,
      restored: (this.#state.base.spent ?? []).map(source.checkKey),
    });
  }

  #createCompaction(publication: Publication): Compaction | null {
    const fileSystem = this.#fileSystem;
    const { base, store } = this.#state;
    const { jobId, compaction = NO_COMPACTION } = base;
    return compactionBeside(this.#job, this.#options.startMerging ?? threadMerging(null), {
      jobId,
      runId: this.#runId,
      restored: compaction,
      counts: (path) => publication.counts(path),
      ledger: ledgerOf(jobId, store, fileSystem),
      fileSystem,
      clock: this.#clock,
      onWarning: (message) => this.#event({ type: 'warning', code: 'compaction', message }),
    });
  }

  async #createSource(context: SplitEnumeratorContext): Promise<FileSource> {
    const { base, store } = this.#state;
    const { replay } = this.#options;
    const spec = replay === undefined ? this.#job.source : replaySource(this.#job.source, replay.folder);
    const format = await createInputFormat(spec.format);
    const restored =
      base.enumerator === null
        ? null
        : {
            state: base.enumerator,
            discovery: await readDiscovery(this.#fileSystem, store.segmentsFolder, base.discovery),
            splits: openSplits(base),
          };
    return FileSource.create({
      fileSystem: this.#fileSystem,
      clock: this.#clock,
      spec,
      format: replay === undefined ? format : replayInput(format),
      mode: this.#options.mode,
      context,
      restored,
      onWarning: ({ code, message }) => this.#event({ type: 'warning', code, message }),
    });
  }

  /** Begins to stop; the function returned calls the time limit off. */
  #stop(coordinator: Coordinator): () => void {
    coordinator.stop();
    const { shutdownTimeoutMs } = this.#job;
    return this.#clock.after(shutdownTimeoutMs, () => coordinator.fail(shutdownTimeout(shutdownTimeoutMs)));
  }

  #summary(last: Checkpoint, checkpoints: number, stopped: boolean, coordinator?: Coordinator): JobSummary {
    return summarize(this.#state.base.totals, last.totals, {
      job: this.#job.name,
      seconds: Math.round(this.#clock.elapsed() - this.#startedAt) / 1000,
      checkpoints,
      stopped,
      timings: coordinator?.times ?? noStageTimes(),
    });
  }

  #event(event: JobEvent): void {
    this.#options.onEvent?.(event);
  }
}
