/**
 * What follows once a checkpoint is durable: its parts become visible, its swaps are done, the table is told. The same
 * at every start, since it is not known how far the process before came; every step may be repeated.
 *
 *     parts visible -> merged parts visible -> table -> parts that were merged: removed, or kept for a while
 */
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import { failpoint } from '../core/failpoint.ts';
import { isPartName } from '../sink/part-name.ts';
import type { Committable } from '../sink/sink-state.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Committer } from './committer.ts';
import { type LakeTable, type TableState, tableParts, visibleParts } from './lake-table.ts';
import type { Swap } from './swap.ts';

/** Parts that are kept at once; beyond that the oldest go early. */
const MAX_REPLACED = 100_000;

/** A part whose rows are in another one by now, kept for readers that still go by an older table. Plain JSON. */
export interface ReplacedPart {
  readonly path: string;
  readonly removeAfterMs: number;
}

/** What of a checkpoint is published. */
export type Promises = Pick<Checkpoint, 'id' | 'schema' | 'columns' | 'compaction' | 'table'>;

export interface TableOfJob {
  readonly type: TableState['type'];
  readonly of: LakeTable;
  /** What it said of the job as the publication was opened (LakeTable.recognize). */
  readonly knowsJob: boolean;
}

export interface PublicationConfig {
  readonly fileSystem: FileSystem;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly sinkPath: string;
  readonly jobId: string;
  /** null: readers go by the folders alone. */
  readonly table: TableOfJob | null;
  readonly keepReplacedMs: number;
  /** Of the checkpoint at the start. */
  readonly restored: readonly ReplacedPart[];
}

export interface Published {
  readonly parts: readonly Committable[];
  /** Swaps that the table did not take. */
  readonly refused: readonly Swap[];
}

export class Publication {
  readonly #config: PublicationConfig;
  #replaced: ReplacedPart[];
  readonly #replacedPaths: Set<string>;
  #swapped: Swap[] = [];
  /** Whether the table may have been removed since a checkpoint knew of it. */
  #tableLost: boolean;
  /** Merged parts of refused swaps that the newest checkpoint still promises: a start looks for them. */
  #refused: ReadonlySet<string> = new Set();

  constructor(config: PublicationConfig) {
    this.#config = config;
    this.#replaced = [...config.restored];
    this.#tableLost = config.table?.knowsJob === false;
    this.#replacedPaths = new Set(config.restored.map(({ path }) => path));
  }

  /** For the checkpoint that is about to be written. */
  get replaced(): readonly ReplacedPart[] {
    return this.#replaced;
  }

  /** For the same: swaps that were done since this was asked last, which checkpoints before it had promised. */
  takeSwapped(): readonly Swap[] {
    const swapped = this.#swapped;
    this.#swapped = [];
    return swapped;
  }

  /** For the same; null where there is no table. @param id of the checkpoint */
  tableState(id: number): TableState | null {
    const { table } = this.#config;
    return table === null ? null : { type: table.type, promise: id };
  }

  /** Whether a visible part of the job counts: it is not replaced, and no other writer has taken it out of the table. */
  counts(path: string): boolean {
    return !this.#replacedPaths.has(path) && (this.#config.table?.of.has(path) ?? true);
  }

  /** Before anything is read: proves that the table takes the job's rows, and makes it. @throws SluiceError */
  async prepare(schema: Schema): Promise<void> {
    await this.#config.table?.of.prepare(schema);
  }

  /** Everything that a durable checkpoint promises. Calls may repeat, also by another process. @throws SluiceError */
  async publish(checkpoint: Promises): Promise<Published> {
    this.#refused = new Set();
    const published = await this.#publish(checkpoint);
    this.#refused = new Set(published.refused.map(({ file }) => file.finalPath));
    const swaps = checkpoint.compaction?.swaps ?? [];
    this.#swapped.push(...swaps.filter((swap) => !published.refused.includes(swap)));
    await this.sweep();
    return published;
  }

  async #publish(checkpoint: Promises): Promise<Published> {
    const { committer, sinkPath, table } = this.#config;
    // As the rows are written, which need not be as they are read.
    const schema = checkpoint.columns?.schema ?? checkpoint.schema;
    const swaps = checkpoint.compaction?.swaps ?? [];
    const parts = await committer.commit();
    const told = checkpoint.table ?? null;
    if (table === null || told?.type !== table.type || this.#tableLost || schema === null) {
      // One after the other: a lister of the folders sees rows twice for as short as can be.
      for (const swap of swaps) {
        await this.#show(swap);
        await this.#replace(swap.sources);
      }
      const promise = told?.type === table?.type ? told?.promise : undefined;
      if (table !== null && schema !== null)
        await this.#reconcile(table.of, promise ?? checkpoint.id, schema);
      this.#tableLost = false;
      return { parts, refused: [] };
    }
    const fresh = tableParts(sinkPath, parts);
    if (fresh.length === 0 && swaps.length === 0) return { parts, refused: [] };
    for (const swap of swaps) await this.#show(swap);
    failpoint('table.commit.before');
    const refused = await table.of.commit({
      promise: told.promise,
      schema,
      parts: fresh,
      swaps,
    });
    failpoint('table.commit.after');
    for (const swap of swaps) {
      // Others use the sources of a refused one by now: it is the merged part that nobody knows.
      if (refused.includes(swap)) this.#keepForNow([swap.file.finalPath]);
      else await this.#replace(swap.sources);
    }
    return { parts, refused };
  }

  /** Removes replaced parts whose time has come. */
  async sweep(): Promise<void> {
    const now = this.#config.clock.now();
    const kept = this.#replaced
      .slice(-MAX_REPLACED)
      .filter(({ path, removeAfterMs }) => removeAfterMs > now || this.#refused.has(path));
    if (kept.length === this.#replaced.length) return;
    const keep = new Set(kept);
    const due = this.#replaced.filter((part) => !keep.has(part)).map(({ path }) => path);
    await this.#config.fileSystem.removeDurably(due);
    this.#replaced = kept;
    for (const path of due) this.#replacedPaths.delete(path);
  }

  async #show({ file }: Swap): Promise<void> {
    failpoint('compaction.swap.before');
    await this.#config.fileSystem.recoverableWriter.commit([file]);
    failpoint('compaction.published');
  }

  async #replace(paths: readonly string[]): Promise<void> {
    const { fileSystem, keepReplacedMs } = this.#config;
    if (keepReplacedMs === 0) await fileSystem.removeDurably(paths);
    else this.#keepForNow(paths);
    failpoint('compaction.swap.after');
  }

  /** Until its time has come. */
  #keepForNow(paths: readonly string[]): void {
    const removeAfterMs = this.#config.clock.now() + this.#config.keepReplacedMs;
    for (const path of paths) {
      if (this.#replacedPaths.has(path)) continue;
      this.#replacedPaths.add(path);
      this.#replaced.push({ path, removeAfterMs });
    }
  }

  /** The checkpoint does not know of the table, or the table not of the job: what is visible decides. */
  async #reconcile(table: LakeTable, promise: number, schema: Schema): Promise<void> {
    const { fileSystem, sinkPath, jobId } = this.#config;
    const visible = await visibleParts(fileSystem, sinkPath, (name) => isPartName(name, jobId));
    const parts = visible.filter(({ path }) => !this.#replacedPaths.has(path));
    await table.reconcile({ promise, schema, parts });
  }
}
