/**
 * One look at the whole source: lists every root, compares with what is known, and says which files wait to be taken.
 * The listing is the truth; a look at files by their names finds nothing that the next listing would not.
 *
 * A listing that fails is an error after some retries, never "no files", and a scan that failed forgets nothing.
 */
import pLimit from 'p-limit';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileStatus, FileSystem, ListOptions } from '../storage/file-system.ts';
import { AgeGate } from './age-gate.ts';
import { isHiddenName, reaches, type SourceRoot, wants } from './file-selector.ts';
import { modifiedError, versionOf } from './file-version.ts';
import { type KnownFiles, NO_REALM } from './known-files.ts';
import { judge, type ModifiedPolicy } from './modification.ts';
import type { Realms } from './realms.ts';
import { WaitingFiles } from './waiting-files.ts';
import type { Warnings } from './warnings.ts';

export interface FileScannerOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly roots: readonly SourceRoot[];
  readonly known: KnownFiles;
  readonly realms: Realms;
  readonly minAgeMs: number;
  readonly modified: ModifiedPolicy;
  readonly warnings: Warnings;
  /** Whether files get birth keys, so that what has the name of one that was read can be told from it. */
  readonly birthKeys?: boolean | undefined;
  /** Whether a file is being read: it is judged once that is over, because the reader may yet find that it changed. */
  readonly isOpen: (file: FileStatus) => boolean;
  /** What is there of a file that is being read is not what was taken of it, and would be: this scan passes it over. */
  readonly onPassedOver: () => void;
  /** Whether something of a file of this name waits for it to be found. */
  readonly isSought: (path: string) => boolean;
  /** Whether something of any file does. */
  readonly seeksAny: () => boolean;
  /** See LOOKS_PER_SCAN. */
  readonly looksPerScan?: number | undefined;
  /** A listing takes long: what it found so far may be taken already. Called after each further piece of it. */
  readonly onFoundSoFar: (waiting: WaitingFiles, realms: readonly number[]) => void;
}

export interface ScanResult {
  /** What may be taken, oldest first. */
  readonly waiting: WaitingFiles;
  /** The realm of each root, for files taken from `waiting`. */
  readonly realms: readonly number[];
  readonly listed: number;
  /** Left out because of `min_age`, and the milliseconds until the first of them may be taken. */
  readonly tooYoung: number;
  readonly nextReadyMs: number;
  /** Changes that were noted and not read. */
  readonly ignored: number;
  readonly forgotten: number;
}

/** What a look at some files found. */
export interface NamedResult extends Pick<ScanResult, 'waiting' | 'ignored' | 'nextReadyMs'> {
  /** Names of files left out because of `min_age`. */
  readonly young: readonly string[];
}

/** Files looked at by name, at once. */
const CONCURRENT_LOOKS = 16;
/** A listing that takes longer is not waited for: readers begin with what it found, oldest first as far as it got. */
const PATIENCE_MS = 500;
/**
 * Under `modified: ignore` a known file is not read again whatever became of it: its name tells that it is still there, and
 * to look at it (half of the cost of a scan) only tells of a change. So a scan looks at about this many of the known files,
 * in turns at all of them. The first scan looks at all, also the only one of `once`.
 */
const LOOKS_PER_SCAN = 50_000;
const RETRY_DELAYS_MS: readonly number[] = [200, 400, 800, 1600, 3200];

/** What one look is collecting. */
interface Look {
  readonly waiting: WaitingFiles;
  /** Files whose name or key is known, and of another file: what they are is decided when everything was listed. */
  readonly moved: WaitingFiles;
  /** Keys of known files that were found under another name than theirs. */
  readonly movedKeys: Set<bigint>;
  readonly counts: MutableCounts;
}

type MutableCounts = { listed: number; tooYoung: number; nextReadyMs: number };

export class FileScanner {
  readonly #options: FileScannerOptions;
  readonly #ages: AgeGate;
  /** Identity of each root's folder at the scan before. */
  readonly #identities: (string | null)[];
  /** Realms of the scan before: files that wait since then may still be recorded in them. */
  #realms: readonly number[] = [];
  /** Realms that the attempt before listed completely: none where it failed. null: there was none. */
  #listed: ReadonlySet<number> | null = null;
  #succeeded = false;
  #scans = 0;
  /** Of this scan over all its attempts: a change noted by one that failed then is known to the next. */
  #ignored = 0;
  #closed = false;
  #cancelWait: () => void = () => {};

  constructor(options: FileScannerOptions) {
    this.#options = options;
    this.#ages = new AgeGate(options.minAgeMs, options.clock);
    this.#identities = options.roots.map(() => null);
  }

  /**
   * @returns null when closed meanwhile
   * @throws SluiceError LISTING_FAILED after retries; NOT_FOUND, ACCESS_DENIED at once while no scan has succeeded yet
   *   (a path that was never right); FILE_MODIFIED under that policy
   */
  async scan(): Promise<ScanResult | null> {
    this.#ignored = 0;
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const result = await this.#attempt();
        this.#succeeded = true;
        this.#scans++;
        return result;
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        if (error.code === 'INTERNAL' || error.code === 'FILE_MODIFIED') throw error;
        const permanent = error.code === 'NOT_FOUND' || error.code === 'ACCESS_DENIED';
        if (permanent && !this.#succeeded) throw error;
        const delayMs = RETRY_DELAYS_MS[attempt];
        if (delayMs === undefined) throw this.#listingFailed(error, attempt + 1);
        this.#options.warnings.warn(
          'listing-retried',
          `the source could not be listed: ${error.message}; trying again in ${delayMs} ms`,
        );
        await this.#wait(delayMs);
      }
    }
    return null;
  }

  /**
   * Looks at some files by their names, after a scan and not while one runs. Those that are not there, or not wanted, are
   * passed over; nothing is forgotten.
   * @throws SluiceError of the storage; FILE_MODIFIED under that policy
   */
  async lookAt(names: readonly string[]): Promise<NamedResult> {
    const { roots, fileSystem } = this.#options;
    this.#ignored = 0;
    const waiting = new WaitingFiles(roots.map((root) => root.folder));
    const counts: MutableCounts = { listed: 0, tooYoung: 0, nextReadyMs: Number.POSITIVE_INFINITY };
    const look: Look = { waiting, moved: new WaitingFiles([]), movedKeys: new Set(), counts };
    const young: string[] = [];
    const limit = pLimit(CONCURRENT_LOOKS);
    const rootOf = (name: string) => roots.findIndex((root) => reaches(root, name));
    const reached = [...new Set(names)].filter((name) => rootOf(name) !== -1);
    const found = await Promise.all(
      reached.map((name) => limit(async () => (this.#closed ? null : fileSystem.stat(name)))),
    );
    for (const status of found) {
      if (status === null || status.isFolder) continue;
      const root = rootOf(status.path);
      const before = counts.tooYoung;
      this.#look(status, root, this.#realms[root] ?? NO_REALM, look);
      if (counts.tooYoung > before) young.push(status.path);
    }
    return { waiting, ignored: this.#ignored, nextReadyMs: counts.nextReadyMs, young };
  }

  /** Lets a scan that waits for a retry end. */
  close(): void {
    this.#closed = true;
    this.#cancelWait();
  }

  async #attempt(): Promise<ScanResult> {
    const { fileSystem, clock, roots, known, realms, warnings, modified, onFoundSoFar } = this.#options;
    const impatientAt = clock.elapsed() + PATIENCE_MS;
    known.beginScan(this.#listed);
    this.#listed = new Set();
    this.#ages.beginScan();
    const folders = roots.map((root) => root.folder);
    const waiting = new WaitingFiles(folders);
    const counts: MutableCounts = {
      listed: 0,
      tooYoung: 0,
      nextReadyMs: Number.POSITIVE_INFINITY,
    };
    const look: Look = { waiting, moved: new WaitingFiles(folders), movedKeys: new Set(), counts };
    const complete = new Set<number>();
    const realmOfRoot: number[] = [];
    for (const [index, root] of roots.entries()) {
      const identity = await fileSystem.folderIdentity(root.folder);
      if (identity === null) {
        throw new SluiceError('NOT_FOUND', `the source folder ${root.folder} does not exist`, {
          details: { path: root.folder },
        });
      }
      const before = this.#identities[index];
      if (typeof before === 'string' && before !== identity) {
        warnings.warn(
          'folder-replaced',
          `${root.folder} is another folder than before (a disk mounted or unmounted?): files taken from the other one stay known`,
        );
      }
      this.#identities[index] = identity;
      const inUse = () => new Set([...known.realmsInUse(), ...this.#realms, ...realmOfRoot]);
      const realm = realms.of(root, identity, inUse);
      realmOfRoot.push(realm);
      for await (const piece of fileSystem.list(root.folder, this.#listOptions(root, realm, counts))) {
        for (const file of piece) {
          if (modified === 'append') this.#lookFollowed(file, index, realm, look);
          else this.#look(file, index, realm, look);
        }
        if (clock.elapsed() >= impatientAt && waiting.size > 0) onFoundSoFar(waiting, realmOfRoot);
      }
      // Mounted or unmounted under our feet: part of the listing was of another folder.
      if ((await fileSystem.folderIdentity(root.folder)) === identity) complete.add(realm);
    }
    this.#settleMoved(look);
    this.#realms = realmOfRoot;
    this.#listed = complete;
    return {
      waiting,
      realms: realmOfRoot,
      ...counts,
      ignored: this.#ignored,
      forgotten: known.sweep(complete),
    };
  }

  #listOptions(root: SourceRoot, realm: number, counts: MutableCounts): ListOptions {
    const { known, modified, birthKeys = false, looksPerScan = LOOKS_PER_SCAN } = this.#options;
    if (modified === 'append') return withRenamed(root.options);
    const options = { ...root.options, birthKeys };
    // A power of two, so that a few files more or less do not begin another round.
    const turns = 2 ** Math.ceil(Math.log2(known.size / looksPerScan));
    if (modified !== 'ignore' || this.#scans === 0 || turns <= 1) return options;
    const turn = this.#scans % turns;
    const nameSuffices = (path: string): boolean => {
      const entry = known.find(path);
      if (entry === -1 || known.shareOf(entry, turns) === turn) return false;
      known.markSeen(entry, realm);
      counts.listed++;
      return true;
    };
    return { ...options, nameSuffices };
  }

  #look(file: FileStatus, root: number, realm: number, look: Look): void {
    const { known, modified, warnings } = this.#options;
    look.counts.listed++;
    const entry = known.find(file.path);
    if (entry !== -1) known.markSeen(entry, realm);
    const verdict = judge(
      entry === -1 ? null : known.matches(entry, file.sizeBytes, versionOf(file)),
      modified,
    );
    if (verdict === 'same') return;
    if (this.#options.isOpen(file)) {
      if (verdict === 'take' || verdict === 'reread') this.#options.onPassedOver();
      return;
    }
    switch (verdict) {
      case 'fail':
        throw modifiedError(file.path);
      case 'ignore':
        this.#ignored++;
        // Noted as it is now: the next change is another one, and this one is told once.
        known.record(file.path, {
          ...known.get(entry),
          sizeBytes: file.sizeBytes,
          modifiedNs: versionOf(file),
        });
        warnings.warn(
          'file-modified',
          `${file.path} changed after it was taken; the change is not read (modified: ignore)`,
        );
        return;
      case 'take':
      case 'reread':
      case 'append':
        this.#addOnceOldEnough(file, root, look.waiting, look.counts);
    }
  }

  #addOnceOldEnough(file: FileStatus, root: number, to: WaitingFiles, counts: MutableCounts): void {
    const remainingMs = this.#ages.remainingMs(file);
    if (remainingMs === 0) to.add(file, root);
    else {
      counts.tooYoung++;
      counts.nextReadyMs = Math.min(counts.nextReadyMs, remainingMs);
    }
  }

  /**
   * The same under `modified: append`, where a file is also known by its key. Files that no pattern wants are listed then
   * too, because a followed file may be renamed to one.
   */
  #lookFollowed(file: FileStatus, root: number, realm: number, look: Look): void {
    const { known, roots, isOpen, onPassedOver, isSought, seeksAny } = this.#options;
    const { path, fileKey = 0n } = file;
    let entry = known.find(path);
    if (entry !== -1 && !known.mayBe(entry, fileKey) && !known.wasSeen(entry)) {
      // The one before was gone for a whole scan: what has its name now has nothing to do with it.
      known.loseName(entry);
      entry = -1;
    }
    const isItself = entry !== -1 && known.mayBe(entry, fileKey);
    if (entry !== -1) known.markSeen(entry, realm);
    // Also where it was listed under its own name a moment ago: it was renamed while we listed.
    const byKey = known.findKey(fileKey);
    const isMoved = byKey !== -1 && byKey !== entry;
    if (isMoved) {
      known.markSeen(byKey, realm);
      look.movedKeys.add(fileKey);
    } else if (entry === -1) {
      if (!wants(roots[root]!, path)) return;
    }
    look.counts.listed++;
    const isUnchanged = isItself && known.matches(entry, file.sizeBytes, versionOf(file));
    if (isOpen(file)) {
      if (!isUnchanged) onPassedOver();
      return;
    }
    const hasMoved = isMoved || (entry !== -1 && !isItself);
    const to = hasMoved ? look.moved : look.waiting;
    // What was taken of it and is not read yet is old enough.
    if (isSought(path) || (hasMoved && seeksAny())) {
      to.add(file, root);
      return;
    }
    if (hasMoved) {
      this.#addOnceOldEnough(file, root, to, look.counts);
      return;
    }
    if (isUnchanged) {
      const before = known.get(entry);
      if (before.fileKey !== fileKey && fileKey !== 0n) known.record(path, { ...before, fileKey });
      if (!before.isCopy) return;
    }
    this.#addOnceOldEnough(file, root, look.waiting, look.counts);
  }

  #settleMoved({ moved, movedKeys, waiting }: Look): void {
    const { known } = this.#options;
    for (let file = moved.pop(); file !== null; file = moved.pop()) {
      const { path, fileKey = 0n } = file;
      const entry = known.find(path);
      if (entry !== -1 && !known.mayBe(entry, fileKey) && movedKeys.has(known.get(entry).fileKey))
        known.loseName(entry);
      waiting.add(file, file.root);
    }
  }

  #listingFailed(error: SluiceError, attempts: number): SluiceError {
    return new SluiceError(
      'LISTING_FAILED',
      `the source could not be listed, tried ${attempts} times: ${error.message} (${error.code})`,
      {
        hint: `${error.hint ?? 'check that the storage is mounted and readable'}; the job continues where it was when it is started again`,
        details: { ...error.details, attempts, code: error.code },
        cause: error,
        retryable: true,
      },
    );
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(delayMs, resolve);
      this.#cancelWait = () => {
        cancel();
        resolve();
      };
    });
  }
}

function withRenamed({ enterFolder, wantFile }: ListOptions): ListOptions {
  return {
    enterFolder,
    wantFile: (relative) => !isHiddenName(relative) || wantFile(relative),
    fileKeys: true,
  };
}
