/**
 * The file source of a job, as the coordinator holds it: an enumerator over the job's paths, and what wakes it, a watcher
 * of folders and notifications of object stores (Flink: FileSource).
 */
import type { Clock } from '../core/clock.ts';
import type { SourceSpec } from '../core/compiled-job.ts';
import type { FileInputFormat, InputFormat } from '../core/decoder.ts';
import type { ProcessingMode } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { RestoredEnumerator, SplitEnumeratorContext } from './enumerator-options.ts';
import { type SourceRoot, selectRoots } from './file-selector.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { type CheckKey, compareFolders, withCheckedKeys } from './foreign-keys.ts';
import { Notifications } from './notifications/notifications.ts';
import { SplitEnumerator } from './split-enumerator.ts';
import { splitSizeOf } from './split-planner.ts';
import { type Warning, Warnings } from './warnings.ts';

export interface FileSourceOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly spec: SourceSpec;
  readonly format: InputFormat | FileInputFormat;
  readonly mode: ProcessingMode;
  readonly context: SplitEnumeratorContext;
  readonly restored: RestoredEnumerator | null;
  /** Bounded: a few of each code a minute. */
  readonly onWarning: (warning: Warning) => void;
}

export class FileSource {
  readonly enumerator: SplitEnumerator;
  readonly checkKey: CheckKey;
  /** Bounded, and for whoever else deals with the source's files. */
  readonly warnings: Warnings;
  readonly #roots: readonly SourceRoot[];
  readonly #watcher: FolderWatcher | null;
  readonly #notifications: Notifications | null;

  private constructor(
    enumerator: SplitEnumerator,
    checkKey: CheckKey,
    roots: readonly SourceRoot[],
    warnings: Warnings,
    watcher: FolderWatcher | null,
    notifications: Notifications | null,
  ) {
    this.enumerator = enumerator;
    this.checkKey = checkKey;
    this.#roots = roots;
    this.warnings = warnings;
    this.#watcher = watcher;
    this.#notifications = notifications;
  }

  /**
   * Nothing runs before `start`.
   * @throws SluiceError NOT_FOUND for a path that is not there; STATE_CORRUPT, STATE_VERSION
   */
  static async create(options: FileSourceOptions): Promise<FileSource> {
    const { fileSystem, clock, spec, format, mode } = options;
    const warnings = new Warnings(clock, options.onWarning);
    const roots = await selectRoots(spec, fileSystem, (path) =>
      warnings.warn(
        'file-name-unreadable',
        `${JSON.stringify(path)} is left out: its name is not valid UTF-8, so it cannot be opened by it`,
      ),
    );
    const birthKeys = spec.afterCommit.kind !== 'keep';
    const { restored } = options;
    const checkKey = await compareFolders(fileSystem, birthKeys ? (restored?.state.realms ?? []) : []);
    const enumerator = new SplitEnumerator(
      {
        fileSystem,
        clock,
        roots,
        mode,
        warnings,
        monitorIntervalMs: spec.monitorIntervalMs,
        minAgeMs: spec.minAgeMs,
        modified: spec.modified,
        birthKeys,
        onReplaced: spec.onReplaced,
        rotation: spec.rotation,
        limits: spec.limits,
        splittable: format.access !== 'random' && format.splittable,
        compression: spec.format.compression,
        splitSizeBytes: splitSizeOf(spec),
        maxRecordBytes: spec.maxRecordBytes,
      },
      options.context,
      restored === null ? null : withCheckedKeys(restored, checkKey),
    );
    const continuously = mode === 'continuously';
    const watcher =
      spec.watch && continuously ? new FolderWatcher(() => void enumerator.hint(null), warnings) : null;
    const notifications =
      spec.notifications !== null && continuously
        ? new Notifications(spec.notifications, clock, warnings, (paths) => enumerator.hint(paths))
        : null;
    return new FileSource(enumerator, checkKey, roots, warnings, watcher, notifications);
  }

  /** Folders that are listed. */
  get folders(): readonly string[] {
    return this.#roots.map(({ folder }) => folder);
  }

  start(): void {
    this.enumerator.start();
    // Not waited for: what happens before it watches is seen by a listing.
    void this.#watcher?.start(this.#roots);
    this.#notifications?.start();
  }

  /** Stops scanning, watching and receiving. Calls may repeat. */
  async close(): Promise<void> {
    const receiving = this.#notifications?.close();
    await this.#watcher?.close();
    await this.enumerator.close();
    // Behind the enumerator: a look that it waits for ends with that.
    await receiving;
    this.warnings.flush();
  }
}
