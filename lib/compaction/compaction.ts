/**
 * Keeps the parts of a lake at their target size, beside the job that writes it. It plans from what it knows to be
 * visible, merges one unit after the other, and hands swaps to checkpoints:
 *
 *     planned -> merging -> ready -> recorded (a checkpoint promises it) -> swapped -> (the next checkpoint forgets it)
 *
 * Up to `recorded`, a crash leaves nothing but a hidden file; from then on the swap happens, by this process or the next.
 */

import type { CompactionState, Swap, SwapSource } from '../commit/swap.ts';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { partSuffix } from '../sink/part-name.ts';
import type { Committable } from '../sink/sink-state.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { MergeHost } from './merge-host.ts';
import { planBucket, type Unit } from './plan.ts';
import { type LedgerSource, provenParts } from './proven-parts.ts';
import { SmallParts } from './small-parts.ts';

/** Units that `finish` merges between two checkpoints. */
const MAX_UNITS_AT_ONCE = 32;

export interface CompactionConfig {
  readonly sinkPath: string;
  readonly prefix: string;
  readonly jobId: string;
  readonly targetBytes: number;
  readonly maxSmallParts: number;
  /** Time without a new part after which a bucket is brought to its end. */
  readonly quietMs: number;
  /** Counter to go on from; its swaps were done before. */
  readonly restored: CompactionState;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly host: MergeHost;
  /** Whether a visible part counts, see Publication; left out: all do. */
  readonly counts?: (path: string) => boolean;
  /** What proves those that are there at the start; left out: they are taken as they are. */
  readonly ledger?: LedgerSource;
  readonly onSwapped?: (swap: Swap) => void;
  /** A unit that could not be merged: its parts stay as they are. */
  readonly onWarning: (message: string) => void;
  /** Why parts stay unmerged; the warning says it, too. */
  readonly onFailed?: (error: SluiceError) => void;
}

export class Compaction implements SwapSource {
  readonly #config: CompactionConfig;
  readonly #parts: SmallParts;
  /** Parts that are in a unit or a swap: not planned with. */
  readonly #reserved = new Set<string>();
  #nextCounter: number;
  #ready: Swap[] = [];
  #recorded: Swap[] = [];
  #running: Promise<void> | null = null;
  #scanning: Promise<void> | null = null;
  #scanned = false;
  #stopped = false;

  constructor(config: CompactionConfig) {
    this.#config = config;
    this.#parts = new SmallParts(config.sinkPath, config.jobId, config.targetBytes);
    this.#nextCounter = config.restored.nextCounter;
  }

  /** Takes in the parts that are there already, then begins. Nothing is merged before. */
  async scan(): Promise<void> {
    this.#scanning ??= this.#takeIn();
    await this.#scanning;
    this.#scanned = true;
    this.start();
  }

  async #takeIn(): Promise<void> {
    const { fileSystem, counts, ledger, onWarning, onFailed } = this.#config;
    const [first, ...others] = await this.#parts.scan(fileSystem, counts ?? (() => true), async (listed) =>
      ledger === undefined ? listed : provenParts(listed, ledger),
    );
    if (first === undefined) return;
    const more = others.length === 0 ? '' : `, and ${others.length} more like it,`;
    const message = `${first.path}${more} is not as this job left it, and is not merged: see sluice verify`;
    onWarning(message);
    onFailed?.(new SluiceError('INPUT_CORRUPT', message, { details: { path: first.path } }));
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  capture(): CompactionState {
    this.#recorded = [...this.#recorded, ...this.#ready];
    this.#ready = [];
    return { nextCounter: this.#nextCounter, swaps: this.#recorded };
  }

  settle(published: readonly Committable[], refused: readonly Swap[]): void {
    const { clock, onSwapped } = this.#config;
    const swaps = this.#recorded;
    this.#recorded = [];
    for (const { file } of published) this.#parts.add(file.finalPath, file.lengthBytes, clock.now());
    for (const swap of swaps) {
      for (const source of swap.sources) {
        this.#parts.remove(source);
        this.#reserved.delete(source);
      }
      if (refused.includes(swap)) continue;
      this.#parts.add(swap.file.finalPath, swap.file.lengthBytes, Number.NEGATIVE_INFINITY);
      onSwapped?.(swap);
    }
    this.start();
  }

  /** Begins to merge what there is to merge, if nothing is under way. */
  start(): void {
    if (this.#running !== null || this.#stopped || !this.#scanned) return;
    const units = this.#plan(false);
    if (units.length === 0) return;
    this.#running = this.#merge(units).finally(() => {
      this.#running = null;
    });
  }

  /**
   * Merges what is left, however little: at the end of the input. A checkpoint has to follow, and then another call, since
   * a call merges some units only: the parts that they replace take room until the checkpoint.
   * @returns whether there was anything
   */
  async finish(): Promise<boolean> {
    await this.scan();
    await this.#running;
    const units = this.#plan(true);
    for (const unit of units.splice(MAX_UNITS_AT_ONCE)) this.#release(unit);
    await this.#merge(units);
    return this.hasReady;
  }

  /** Ends what is under way. What is ready may still be captured. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#config.host.terminate();
  }

  #plan(last: boolean): Unit[] {
    const { targetBytes, maxSmallParts, quietMs, clock } = this.#config;
    const quietSince = clock.now() - quietMs;
    const units: Unit[] = [];
    for (const { parts, newestMs } of this.#parts.buckets.values()) {
      const free = [...parts.values()].filter(({ path }) => !this.#reserved.has(path));
      // A bucket of which parts are under way is not at its end: they come back as one.
      const whole = free.length === parts.size;
      if (free.length >= 2)
        units.push(
          ...planBucket(free, { targetBytes, maxSmallParts }, whole && (last || newestMs <= quietSince)),
        );
    }
    for (const unit of units) for (const { path } of unit) this.#reserved.add(path);
    return units;
  }

  async #merge(units: readonly Unit[]): Promise<void> {
    for (const [index, unit] of units.entries()) {
      if (this.#stopped) {
        for (const rest of units.slice(index)) this.#release(rest);
        return;
      }
      await this.#mergeUnit(unit);
    }
  }

  async #mergeUnit(unit: Unit): Promise<void> {
    const { host, onWarning, onFailed } = this.#config;
    const first = unit[0]!.path;
    const folder = first.slice(0, first.lastIndexOf('/'));
    const { prefix, jobId } = this.#config;
    const name = `${prefix}-${jobId}-c-${this.#nextCounter++}${partSuffix(first, jobId)}`;
    try {
      const { file, merged } = await host.merge({ sources: unit, finalPath: `${folder}/${name}` });
      // Parts that do not go together, such as those of two schemas, stay as they are.
      if (file === null) {
        this.#forget(unit);
        return;
      }
      const bucketId = folder.slice(this.#config.sinkPath.length + 1);
      this.#ready.push({ bucketId, file, sources: merged });
      this.#release(unit.filter(({ path }) => !merged.includes(path)));
    } catch (thrown) {
      if (this.#stopped) return;
      const error = SluiceError.from(thrown);
      // The same would fail again, until somebody looked at it and started anew.
      this.#forget(unit);
      onWarning(`parts stay unmerged: ${error.message}`);
      onFailed?.(error);
    }
  }

  #release(unit: Unit): void {
    for (const { path } of unit) this.#reserved.delete(path);
  }

  #forget(unit: Unit): void {
    this.#release(unit);
    for (const { path } of unit) this.#parts.remove(path);
  }
}
