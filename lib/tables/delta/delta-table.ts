/** A job's lake as a Delta table: the log says which parts are in it, and no part is rewritten for it. */
import pLimit from 'p-limit';
import { fileColumns, partitionColumns } from '../../../bucketing/index.ts';
import { readFileStatistics } from '../../../formats/parquet/file-statistics.ts';
import type { LakeTable, TableChange, TablePart } from '../../commit/lake-table.ts';
import type { Swap } from '../../commit/swap.ts';
import type { Clock } from '../../core/clock.ts';
import type { Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import { nameOf } from '../../core/location.ts';
import type { BucketSpec } from '../../core/specs.ts';
import { VERSION } from '../../core/version.ts';
import { openRandomFile } from '../../source/random-file.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import type { Action, Add, MetaData } from './actions.ts';
import { DeltaLog } from './delta-log.ts';
import { partitionValues } from './partition-values.ts';
import { encodePath } from './path.ts';
import { decodeFields, deltaFields, encodeFields, mergeFields } from './schema.ts';
import { type DeltaState, PROTOCOL } from './state.ts';
import { deltaStats } from './stats.ts';

/** Footers read at once. */
const MAX_READS = 16;

export interface DeltaTableOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Of the lake. */
  readonly path: string;
  readonly bucket: BucketSpec;
  readonly jobId: string;
  readonly checkpointEvery: number;
}

export class DeltaTable implements LakeTable {
  readonly #options: DeltaTableOptions;
  readonly #appId: string;
  readonly #log: DeltaLog;
  readonly #limit = pLimit(MAX_READS);

  private constructor(options: DeltaTableOptions, log: DeltaLog) {
    this.#options = options;
    this.#appId = `sluice-${options.jobId}`;
    this.#log = log;
  }

  /** @throws SluiceError TABLE_UNSUITABLE */
  static async open(options: DeltaTableOptions): Promise<DeltaTable> {
    return new DeltaTable(options, await DeltaLog.open(options));
  }

  async recognize(newest: number): Promise<boolean> {
    const { transactions, files, tombstones } = this.#log.state;
    const version = transactions.get(this.#appId)?.version;
    // A checkpoint is durable before the log is told of it, so no crash leads here. Going on would give its number to
    // other parts, which the log would take for those that it has already.
    if (version !== undefined && version > newest)
      throw new SluiceError(
        'STATE_CORRUPT',
        `the Delta log of ${this.#options.path} was told of the job's checkpoint ${version}, and the newest one in its state is ${newest}: the state is older than the table`,
        {
          hint: 'restore the newest state; going on from an older one would double rows, or keep them out of the table',
        },
      );
    if (version !== undefined) return true;
    // Other writers may drop transactions by age.
    const known = [...files.keys(), ...tombstones.keys()];
    return known.some((path) => this.#isOurs(path));
  }

  async prepare(schema: Schema): Promise<void> {
    await this.#log.commit((state) => {
      const actions = this.#schemaActions(state, schema);
      return actions.length === 0 ? null : [this.#info('CREATE TABLE', false), ...actions];
    });
  }

  async commit(change: TableChange): Promise<readonly Swap[]> {
    const { promise, schema, parts, swaps } = change;
    const merged = swaps.map(({ bucketId, file }) => ({
      bucketId,
      path: file.finalPath,
      sizeBytes: file.lengthBytes,
    }));
    const isRepeated = this.#hasDone(this.#log.state, promise);
    const adds = isRepeated ? [] : await this.#describe(parts, schema, true);
    const mergedAdds = isRepeated ? [] : await this.#describe(merged, schema, false);
    let refused: readonly Swap[] = [];
    await this.#log.commit((state) => {
      const isDone = this.#hasDone(state, promise);
      const isTaken = isDone
        ? ({ file }: Swap) => this.#knows(state, file.finalPath)
        : ({ sources }: Swap) => sources.every((source) => state.files.has(this.#relative(source)));
      refused = swaps.filter((swap) => !isTaken(swap));
      if (isDone) return null;
      const actions = [
        ...this.#schemaActions(state, schema),
        ...adds.filter((_, i) => !this.#knows(state, parts[i]!.path)).map((add) => ({ add })),
        ...swaps.flatMap((swap, i) =>
          refused.includes(swap)
            ? []
            : [...this.#removals(state, swap.sources, false), { add: mergedAdds[i]! }],
        ),
      ];
      if (actions.length === 0) return null;
      const operation = parts.length > 0 || swaps.length === 0 ? 'WRITE' : 'OPTIMIZE';
      return [this.#info(operation, swaps.length === 0), this.#transaction(promise), ...actions];
    });
    return refused;
  }

  async reconcile({ promise, schema, parts }: Omit<TableChange, 'swaps'>): Promise<void> {
    const adds = await this.#describe(parts, schema, true);
    const visible = new Set(parts.map(({ path }) => this.#relative(path)));
    await this.#log.commit((state) => {
      const gone = [...state.files.keys()].filter((path) => this.#isOurs(path) && !visible.has(path));
      const actions = [
        ...this.#schemaActions(state, schema),
        ...adds.filter((_, i) => !this.#knows(state, parts[i]!.path)).map((add) => ({ add })),
        ...this.#removals(
          state,
          gone.map((path) => `${this.#options.path}/${path}`),
          true,
        ),
      ];
      return actions.length === 0
        ? null
        : [this.#info('WRITE', false), this.#transaction(promise), ...actions];
    });
  }

  has(path: string): boolean {
    return this.#log.state.files.has(this.#relative(path));
  }

  #hasDone(state: DeltaState, promise: number): boolean {
    return (state.transactions.get(this.#appId)?.version ?? -1) >= promise;
  }

  /** Names of parts carry the job's id and are never used twice. */
  #isOurs(path: string): boolean {
    return nameOf(path).includes(`-${this.#options.jobId}-`);
  }

  /** Whether a part is in the table or was: others may have taken it out again. */
  #knows(state: DeltaState, path: string): boolean {
    const relative = this.#relative(path);
    return state.files.has(relative) || state.tombstones.has(relative);
  }

  #relative(path: string): string {
    return path.slice(this.#options.path.length + 1);
  }

  /** What makes the table, or its schema, as the job needs it. */
  #schemaActions(state: DeltaState, schema: Schema): Action[] {
    const { bucket, clock, ids } = this.#options;
    const partitions = partitionColumns(bucket, schema) ?? [];
    const names = partitions.map(({ name }) => name);
    const fields = deltaFields(fileColumns(bucket, schema, partitions), partitions);
    const { metaData } = state;
    if (metaData === null) {
      const made: MetaData = {
        id: uuidOf(ids.hex(16)),
        format: { provider: 'parquet', options: {} },
        schemaString: encodeFields(fields),
        partitionColumns: names,
        configuration: {},
        createdTime: clock.now(),
      };
      return [{ protocol: PROTOCOL }, { metaData: made }];
    }
    if (JSON.stringify(metaData.partitionColumns) !== JSON.stringify(names)) {
      throw new SluiceError(
        'TABLE_UNSUITABLE',
        `the Delta table is partitioned by (${metaData.partitionColumns.join(', ')}) and the job by (${names.join(', ')})`,
        { hint: 'give the job another sink.path' },
      );
    }
    const merged = mergeFields(decodeFields(metaData.schemaString), fields);
    return merged === null ? [] : [{ metaData: { ...metaData, schemaString: encodeFields(merged) } }];
  }

  #removals(state: DeltaState, paths: readonly string[], dataChange: boolean): Action[] {
    const deletionTimestamp = this.#options.clock.now();
    return paths.map((path) => {
      const { path: name, partitionValues, size } = state.files.get(this.#relative(path))!;
      return {
        remove: {
          path: name,
          deletionTimestamp,
          dataChange,
          extendedFileMetadata: true,
          partitionValues,
          size,
        },
      };
    });
  }

  #describe(parts: readonly TablePart[], schema: Schema, dataChange: boolean): Promise<Add[]> {
    return Promise.all(parts.map((part) => this.#limit(() => this.#describePart(part, schema, dataChange))));
  }

  async #describePart(
    { bucketId, path, sizeBytes }: TablePart,
    schema: Schema,
    dataChange: boolean,
  ): Promise<Add> {
    const { fileSystem, clock, bucket } = this.#options;
    const partitions = partitionColumns(bucket, schema) ?? [];
    const file = await openRandomFile(fileSystem, { path, sizeBytes });
    try {
      return {
        path: encodePath(this.#relative(path)),
        partitionValues: partitionValues(bucketId, partitions),
        size: sizeBytes,
        modificationTime: clock.now(),
        dataChange,
        stats: deltaStats(await readFileStatistics(file), fileColumns(bucket, schema, partitions)),
      };
    } finally {
      await file.close();
    }
  }

  #transaction(version: number): Action {
    return { txn: { appId: this.#appId, version, lastUpdated: this.#options.clock.now() } };
  }

  #info(operation: string, isBlindAppend: boolean): Action {
    return {
      commitInfo: {
        timestamp: this.#options.clock.now(),
        operation,
        operationParameters: operation === 'WRITE' ? { mode: 'Append' } : {},
        isBlindAppend,
        engineInfo: `sluice/${VERSION}`,
      },
    };
  }
}

/** Of version 4. */
function uuidOf(hex: string): string {
  const variant = (Number.parseInt(hex[16]!, 16) & 3) | 8;
  const digits = `${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant.toString(16)}${hex.slice(17)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
