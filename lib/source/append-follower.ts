/**
 * `modified: append`: what a file is that was found: one that grew, one that was renamed, the copy of another one, or a new
 * one. Looks at what is known, at the file and at those beside it, and changes nothing.
 *
 * A file is recognised by its key (device, inode, creation) and by a fingerprint of what was taken of it; a copy by the
 * fingerprint and by a name like those that log rotation gives. The table in docs/discovery.md says what is promised when.
 */
import { SluiceError } from '../core/errors.ts';
import { nameOf } from '../core/location.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import { isHiddenName } from './file-selector.ts';
import type { KnownFiles, KnownRef } from './known-files.ts';
import { isRotatedName, originalNames } from './rotated-names.ts';
import type { Plan, SplitPlanner, TakenPlan } from './split-planner.ts';

/** `source.on_replaced` of the job: what becomes of a followed file that was truncated or replaced. */
export type ReplacedPolicy = 'read' | 'ignore' | 'fail';

/** `source.rotation` of the job. copytruncate: a file like a followed one is its copy, and not a file of its own. */
export type Rotation = 'rename' | 'copytruncate';

export interface Copy {
  readonly file: FileStatus;
  /** What was known under its name. */
  readonly own: KnownRef | null;
  readonly plan: TakenPlan;
}

/** A name of which a file is no copy, as what is known by it was then. */
export interface JudgedName {
  readonly path: string;
  /** null: nothing was known. */
  readonly known: KnownRef | null;
}

export type Following =
  /** It is the file `from`, and what is behind what was taken of that is read. */
  | {
      readonly kind: 'continue';
      readonly from: KnownRef;
      /** The name that it had, where it is another one than the file's and not just its key tells so. */
      readonly fromPath?: string;
      readonly plan: TakenPlan;
      readonly judged: readonly JudgedName[];
    }
  /** Nothing was taken of it. `renamed`: the file that had its name has another one. */
  | {
      readonly kind: 'new';
      readonly plan: TakenPlan;
      readonly renamed: KnownRef | null;
      readonly judged: readonly JudgedName[];
    }
  /** It is new, and the one that had its name lives on as a copy: the first of `copies`; the others have no more. */
  | {
      readonly kind: 'copied';
      readonly from: KnownRef;
      readonly copies: readonly Copy[];
      readonly plan: TakenPlan;
    }
  /** It is new, and nobody knows where the one is that had its name. `plan` is null where it is not to be read. */
  | {
      readonly kind: 'replaced';
      readonly from: KnownRef;
      readonly why: string;
      readonly plan: TakenPlan | null;
      readonly judged: readonly JudgedName[];
    }
  /** It changed, and nothing tells what was added. */
  | { readonly kind: 'unfollowed'; readonly from: KnownRef; readonly why: string }
  /** It is the copy of a file that still has all it has, and of which everything up to the plan's place was taken. */
  | { readonly kind: 'copy'; readonly own: KnownRef | null; readonly plan: TakenPlan }
  /** It is a copy of a file that has just been truncated, and is taken with that one. */
  | { readonly kind: 'wait' };

/** What a file is, and the file as it was when that was found out. */
export interface Looked {
  readonly file: FileStatus;
  readonly following: Following;
}

export interface AppendFollowerOptions {
  readonly fileSystem: FileSystem;
  readonly known: KnownFiles;
  readonly planner: SplitPlanner;
  readonly onReplaced: ReplacedPolicy;
  readonly rotation: Rotation;
  /** Whether the job's patterns want a file. */
  readonly isWanted: (path: string) => boolean;
}

export class AppendFollower {
  readonly #options: AppendFollowerOptions;

  constructor(options: AppendFollowerOptions) {
    this.#options = options;
  }

  /**
   * @param file as it was listed
   * @throws SluiceError NOT_FOUND, FILE_MODIFIED where the file changes meanwhile: the next scan looks again
   */
  async look(file: FileStatus): Promise<Looked> {
    const { fileSystem, known } = this.#options;
    const { path, fileKey = 0n } = file;
    const isKnown = known.find(path) !== -1 || known.findKey(fileKey) !== -1;
    const following = await this.#judge(file);
    const goesOn = following.kind === 'continue' || following.kind === 'copy' || following.kind === 'wait';
    if (!isKnown || goesOn) return { file, following };
    // What is known may be younger than the listing: a copy listed half made, and since then taken with its original, is not
    // what was taken of it. So nothing is called another file by what it was when it was listed.
    const now = await fileSystem.stat(path);
    if (now === null || now.isFolder) throw new SluiceError('NOT_FOUND', `${path} is gone`);
    return isSame(now, file) ? { file, following } : { file: now, following: await this.#judge(now) };
  }

  async #judge(file: FileStatus): Promise<Following> {
    const { known } = this.#options;
    const { path, fileKey = 0n } = file;
    const entry = known.find(path);
    const own = known.ref(entry);
    if (own !== null && known.mayBe(entry, fileKey)) return this.#lookInPlace(file, own);
    const byKey = known.ref(known.findKey(fileKey));
    if (byKey !== null) {
      const plan = await this.#continued(file, byKey);
      if (plan.kind !== 'replaced') return { kind: 'continue', from: byKey, plan, judged: [] };
    }
    return own === null ? this.#copyOrNew(file, null, null) : this.#lookReplaced(file, own);
  }

  async #copyOrNew(file: FileStatus, own: KnownRef | null, renamed: KnownRef | null): Promise<Following> {
    const judged: JudgedName[] = [];
    const asCopy = await this.#lookForOriginal(file, own, judged);
    return asCopy ?? { kind: 'new', plan: await this.#new(file), renamed, judged };
  }

  /** The file is the one that was known under its name. */
  async #lookInPlace(file: FileStatus, own: KnownRef): Promise<Following> {
    const judged: JudgedName[] = [];
    if (own.file.isCopy || own.file.consumedBytes === 0) {
      const asCopy = await this.#lookForOriginal(file, own, judged);
      if (asCopy !== null) return asCopy;
    }
    const plan = await this.#continued(file, own);
    if (plan.kind !== 'replaced') return { kind: 'continue', from: own, plan, judged };
    if (own.file.fingerprint === 0n) return { kind: 'unfollowed', from: own, why: plan.why };
    return this.#copiedOrReplaced(file, own, plan.why);
  }

  /** Another file has the name, and no listing showed the one before. */
  async #lookReplaced(file: FileStatus, own: KnownRef): Promise<Following> {
    // Renamed after the listing had passed.
    const beside = await this.#beside(file.path, () => true);
    const isBeside = beside.some(({ fileKey }) => fileKey === own.file.fileKey);
    // Of one of which nothing was taken there is nothing to go on with.
    const hadNothing = own.file.consumedBytes === 0 && own.file.fingerprint !== 0n;
    if (isBeside || hadNothing) return this.#copyOrNew(file, own, isBeside ? own : null);
    const plan = await this.#continued(file, own);
    // Written anew as a whole, as rsync does: the same lines, and more.
    if (plan.kind !== 'replaced') return { kind: 'continue', from: own, plan, judged: [] };
    return this.#copiedOrReplaced(file, own, plan.why);
  }

  async #copiedOrReplaced(file: FileStatus, own: KnownRef, why: string): Promise<Following> {
    const judged: JudgedName[] = [];
    const asCopy = await this.#lookForOriginal(file, own, judged);
    if (asCopy !== null) return asCopy;
    const copies = await this.#copiesOf(file.path, own);
    if (copies.length > 0) return { kind: 'copied', from: own, copies, plan: await this.#new(file) };
    return {
      kind: 'replaced',
      from: own,
      why,
      plan: this.#options.onReplaced === 'read' ? await this.#new(file) : null,
      judged,
    };
  }

  /** Unknown files that begin with everything that was taken of `original` and have a name like its copies; longest first. */
  async #copiesOf(path: string, original: KnownRef): Promise<Copy[]> {
    const { known } = this.#options;
    const { consumedBytes, fingerprint } = original.file;
    if (consumedBytes === 0 || fingerprint === 0n) return [];
    const name = nameOf(path);
    const copies: Copy[] = [];
    for (const file of await this.#beside(path, (other) => isRotatedName(other, name))) {
      const entry = known.find(file.path);
      const byKey = known.findKey(file.fileKey ?? 0n);
      const own = known.ref(entry);
      const isCopy = own?.file.isCopy === true;
      // One that is taken as it is was nobody's copy; one that changed since may have been copied over.
      const isTaken = own !== null && !isCopy && known.matches(entry, file.sizeBytes, file.modifiedNs);
      if (isTaken || (byKey !== -1 && byKey !== entry)) continue;
      // One that only grew since has its own rest, and what was taken of it must not come twice.
      const isOwn = own !== null && !isCopy && own.file.consumedBytes > 0;
      if (isOwn && (await this.#continued(file, own)).kind !== 'replaced') continue;
      if (file.sizeBytes < consumedBytes) {
        // All of a copy was taken before the file was cut.
        if (isCopy) copies.push({ file, own, plan: nothing(await this.#new(file)) });
        continue;
      }
      const plan = await this.#continued(file, original);
      if (plan.kind !== 'replaced') copies.push({ file, own, plan });
    }
    return copies.sort((a, b) => b.file.sizeBytes - a.file.sizeBytes);
  }

  /** Whether a file is the copy of one that is known, or will be. null: it is not. */
  async #lookForOriginal(
    file: FileStatus,
    own: KnownRef | null,
    judged: JudgedName[],
  ): Promise<Following | null> {
    const { fileSystem, known, rotation, planner, isWanted } = this.#options;
    const folder = file.path.slice(0, file.path.length - nameOf(file.path).length);
    for (const name of originalNames(nameOf(file.path))) {
      const path = folder + name;
      const original = known.ref(known.find(path));
      judged.push({ path, known: original });
      if (original === null) {
        if (rotation !== 'copytruncate' || !isWanted(path)) continue;
        // Not taken yet: it will be, and then it is told what is a copy of it.
        const status = await fileSystem.stat(path);
        if (status !== null && !status.isFolder && (await planner.beginLikewise(status, file)))
          return { kind: 'wait' };
        continue;
      }
      const { consumedBytes, fingerprint } = original.file;
      if (fingerprint === 0n) continue;
      const partial = file.sizeBytes < consumedBytes || consumedBytes === 0;
      if (partial && rotation !== 'copytruncate') continue;
      const asContinued = partial ? null : await this.#continued(file, original);
      const isOther = asContinued?.kind === 'replaced';
      if (isOther && rotation !== 'copytruncate') continue;
      const plan = asContinued?.kind === 'replaced' ? null : asContinued;
      const status = await fileSystem.stat(path);
      if (status === null || status.isFolder) {
        if (plan !== null) return { kind: 'continue', from: original, fromPath: path, plan, judged: [] };
        continue;
      }
      // In this order: an original that is intact now was so when the two were compared. It may be cut at any moment.
      const isLike = plan === null && (await planner.beginLikewise(status, file));
      const intact = (await this.#continued(status, original)).kind !== 'replaced';
      if (!intact) {
        // A copy of what was taken, perhaps while it was being made; or of what stands there now and was not taken yet.
        if (!isOther || isLike) return { kind: 'wait' };
      } else if (isOther) {
      } else if (plan !== null) {
        if (rotation === 'copytruncate')
          return { kind: 'copy', own, plan: { kind: 'nothing', consumedBytes, fingerprint } };
      } else if (isLike) {
        // Being copied, or copied before anything was taken.
        if (consumedBytes === 0) return { kind: 'wait' };
        return { kind: 'copy', own, plan: nothing(await this.#new(file)) };
      }
    }
    return null;
  }

  async #continued(file: FileStatus, { file: before }: KnownRef): Promise<Plan> {
    // Not followed: it is the same where it was not touched since.
    const untouched = before.sizeBytes === file.sizeBytes && before.modifiedNs === file.modifiedNs;
    if (before.fingerprint === 0n && untouched && before.fileKey !== 0n && before.fileKey === file.fileKey)
      return { kind: 'nothing', consumedBytes: before.consumedBytes, fingerprint: 0n };
    return this.#options.planner.plan(file, before);
  }

  async #new(file: FileStatus): Promise<TakenPlan> {
    const plan = await this.#options.planner.plan(file, null);
    if (plan.kind !== 'replaced') return plan;
    throw new SluiceError('INTERNAL', `a new file cannot have been replaced: ${file.path}`);
  }

  /** Files in the folder of `path` whose names are wanted; not itself. */
  async #beside(path: string, wanted: (name: string) => boolean): Promise<FileStatus[]> {
    const name = nameOf(path);
    const folder = path.slice(0, path.length - name.length - 1) || '/';
    const found: FileStatus[] = [];
    const listing = this.#options.fileSystem.list(folder, {
      enterFolder: () => false,
      wantFile: (other) => other !== name && !isHiddenName(other) && wanted(other),
      topOnly: true,
      fileKeys: true,
    });
    for await (const piece of listing) found.push(...piece);
    return found;
  }
}

/** The same, as taken. */
function nothing({ consumedBytes, fingerprint }: TakenPlan): TakenPlan {
  return { kind: 'nothing', consumedBytes, fingerprint };
}

function isSame(one: FileStatus, other: FileStatus): boolean {
  return (
    one.sizeBytes === other.sizeBytes &&
    one.modifiedNs === other.modifiedNs &&
    one.identity === other.identity &&
    one.fileKey === other.fileKey
  );
}
