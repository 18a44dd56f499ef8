/**
 * The file source of a job, as the coordinator holds it: an enumerator over the job's paths, and a watcher that wakes it
 * (Flink: FileSource).
 */
import type { SourceSpec } from '../config/compiled-job.ts';
import type { Clock } from '../core/clock.ts';
import type { FileInputFormat, InputFormat } from '../core/decoder.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { type SourceRoot, selectRoots } from './file-selector.ts';
import { FolderWatcher } from './folder-watcher.ts';
import {
  type ProcessingMode,
  type RestoredEnumerator,
  SplitEnumerator,
  type SplitEnumeratorContext,
} from './split-enumerator.ts';
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
  /** Bounded, and for whoever else deals with the source's files. */
  readonly warnings: Warnings;
  readonly #roots: readonly SourceRoot[];
  readonly #watcher: FolderWatcher | null;

  private constructor(
    enumerator: SplitEnumerator,
    roots: readonly SourceRoot[],
    warnings: Warnings,
    watcher: FolderWatcher | null,
  ) {
    this.enumerator = enumerator;
    this.#roots = roots;
    this.warnings = warnings;
    this.#watcher = watcher;
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
        onReplaced: spec.onReplaced,
        rotation: spec.rotation,
        limits: spec.limits,
        splittable: format.access !== 'random' && format.splittable,
        compression: spec.format.compression,
        splitSizeBytes: splitSizeOf(spec),
        maxRecordBytes: spec.maxRecordBytes,
      },
      options.context,
      options.restored,
    );
    const watched = spec.watch && mode === 'continuously';
    const watcher = watched ? new FolderWatcher(() => enumerator.wake(), warnings) : null;
    return new FileSource(enumerator, roots, warnings, watcher);
  }

  /** Folders that are listed. */
  get folders(): readonly string[] {
    return this.#roots.map(({ folder }) => folder);
  }

  start(): void {
    this.enumerator.start();
    // Not waited for: what happens before it watches is seen by a listing.
    void this.#watcher?.start(this.#roots);
  }

  /** Stops scanning and watching. Calls may repeat. */
  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.enumerator.close();
    this.warnings.flush();
  }
}
