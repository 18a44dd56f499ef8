/**
 * chokidar as a wake-up hint: something happened below the roots, so look sooner. Nothing is read from its events and
 * nothing depends on them: a watcher that cannot start, breaks, or loses events costs latency, up to `monitor_interval`.
 *
 * Only folders are watched, not the files in them: a folder's watch sees its files come and change, and chokidar would
 * hold some 4 KB for each file (measured: 415 MB for 100,000).
 */
import type { FSWatcher } from 'chokidar';
import { importModule } from '../core/import-module.ts';
import type { SourceRoot } from './file-selector.ts';
import type { Warnings } from './warnings.ts';

/** Folders watched at most; each takes a kernel watch (Linux allows 8,192 a user on old kernels) and a handle. */
const MAX_FOLDERS = 4096;

export class FolderWatcher {
  readonly #onHint: () => void;
  readonly #warnings: Warnings;
  readonly #maxFolders: number;
  readonly #folders = new Set<string>();
  #watcher: FSWatcher | null = null;
  #closed = false;
  #settle: () => void = () => {};

  constructor(onHint: () => void, warnings: Warnings, maxFolders = MAX_FOLDERS) {
    this.#onHint = onHint;
    this.#warnings = warnings;
    this.#maxFolders = maxFolders;
  }

  /** Begins watching; resolves once every folder found so far is watched, or watching was given up. Never rejects. */
  async start(roots: readonly SourceRoot[]): Promise<void> {
    try {
      const { watch } = (await importModule('chokidar')) as typeof import('chokidar');
      if (this.#closed) return;
      const watcher = watch([...new Set(roots.map((root) => root.folder))], {
        ignoreInitial: true,
        followSymlinks: false,
        ignorePermissionErrors: true,
        ignored: (path, status) => this.#isIgnored(roots, path, status?.isDirectory() ?? null),
      });
      this.#watcher = watcher;
      watcher.on('error', (error) => this.#giveUp(error instanceof Error ? error.message : String(error)));
      // The raw events of a folder tell of its files, which are ignored, too.
      watcher.on('raw', () => this.#hint());
      watcher.on('addDir', () => this.#hint());
      watcher.on('unlinkDir', (path) => this.#folders.delete(path));
      await new Promise<void>((resolve) => {
        this.#settle = resolve;
        watcher.once('ready', resolve);
      });
    } catch (error) {
      this.#giveUp(error instanceof Error ? error.message : String(error));
    }
  }

  /** Calls may repeat. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#settle();
    const watcher = this.#watcher;
    this.#watcher = null;
    await watcher?.close();
  }

  #hint(): void {
    if (!this.#closed) this.#onHint();
  }

  /** @param isFolder null while chokidar does not know yet; it asks again when it does */
  #isIgnored(roots: readonly SourceRoot[], path: string, isFolder: boolean | null): boolean {
    if (isFolder === null) return false;
    if (!isFolder) return true;
    if (this.#folders.has(path)) return false;
    const wanted = roots.some(
      ({ folder, options }) =>
        path === folder ||
        (path.startsWith(`${folder}/`) && options.enterFolder(path.slice(folder.length + 1))),
    );
    if (!wanted) return true;
    if (this.#folders.size >= this.#maxFolders) {
      this.#giveUp(`there are more than ${this.#maxFolders} folders`);
      return true;
    }
    this.#folders.add(path);
    return false;
  }

  #giveUp(why: string): void {
    if (this.#closed) return;
    this.#warnings.warn(
      'watcher-unavailable',
      `the source is not watched any more: ${why}. New files are found by the listing every monitor_interval`,
    );
    void this.close().catch(() => {});
  }
}
