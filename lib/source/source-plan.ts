/**
 * What a source would read now, and why not the rest: a dry run of scan and split planning. Reads state and files,
 * writes nothing, and may run beside the job.
 */
import type { Clock } from '../core/clock.ts';
import type { SourceSpec } from '../core/compiled-job.ts';
import { SluiceError, unreachable } from '../core/errors.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import { AgeGate } from './age-gate.ts';
import { AppendFollower } from './append-follower.ts';
import { isHiddenName, type SourceRoot, wants } from './file-selector.ts';
import { KnownFiles } from './known-files.ts';
import { judge } from './modification.ts';
import { remainingBytes, type Split, startPosition } from './split.ts';
import type { SplitPlanner, TakenPlan } from './split-planner.ts';

/** A file, or a folder that is not entered, and what happens to it. Snake case: this is what `--json` prints. */
export type FilePlan =
  | {
      readonly action: 'read' | 'resume';
      readonly path: string;
      readonly bytes: number;
      readonly splits: number;
      /** Where reading begins; 0 unless it goes on. */
      readonly from_byte: number;
    }
  | { readonly action: 'skip'; readonly path: string; readonly reason: SkipReason; readonly why: string };

export type SkipReason = 'not_input' | 'too_young' | 'taken' | 'modified' | 'nothing_new' | 'gone';

/** The table of known files as a checkpoint left it: its pieces in order, with the checkpoint that wrote each. */
export interface KnownPiece {
  readonly checkpointId: number;
  readonly delta: Uint8Array;
}

export interface SourcePlanOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly spec: SourceSpec;
  readonly roots: readonly SourceRoot[];
  readonly planner: SplitPlanner;
  readonly known: readonly KnownPiece[];
  /** Splits that a checkpoint holds at their positions. */
  readonly splits: readonly Split[];
  /** Whether files and folders that the job's patterns leave out are told as well. */
  readonly explain: boolean;
}

/**
 * Plans every file of the listing, in the order of the listing.
 * @throws SluiceError LISTING_FAILED ..., STATE_CORRUPT
 */
export async function* planSource(options: SourcePlanOptions): AsyncGenerator<FilePlan> {
  const { fileSystem, spec, roots, splits, explain } = options;
  const known = new KnownFiles(spec.modified === 'append');
  for (const { delta } of options.known) known.apply(delta);
  const takenBy = new CheckpointFinder(options.known, spec.modified === 'append');
  const ages = new AgeGate(spec.minAgeMs, options.clock);
  const resumed = new Map<string, Split[]>();
  for (const split of splits) resumed.set(split.path, [...(resumed.get(split.path) ?? []), split]);
  for (const [path, open] of resumed) yield resume(path, open);
  const seen = new Set<string>();
  const follows = spec.modified === 'append';
  for (const root of roots) {
    const left: FilePlan[] = [];
    const leave = (relative: string, why: string | null) => {
      if (why === null) return true;
      if (explain)
        left.push({ action: 'skip', path: `${root.folder}/${relative}`, reason: 'not_input', why });
      return false;
    };
    const listing = fileSystem.list(root.folder, {
      enterFolder: (relative) => leave(`${relative}/`, root.whyNot.folder(relative)),
      // A file that is followed may have been renamed to what no pattern wants.
      wantFile: (relative) =>
        (follows && !isHiddenName(relative)) || leave(relative, root.whyNot.file(relative)),
      fileKeys: follows,
    });
    for await (const piece of listing) {
      yield* left.splice(0);
      for (const file of piece) {
        // Roots may overlap.
        if (seen.has(file.path) || resumed.has(file.path)) continue;
        seen.add(file.path);
        const relative = file.path.slice(root.folder === '/' ? 1 : root.folder.length + 1);
        const isKnown = known.find(file.path) !== -1 || known.findKey(file.fileKey ?? 0n) !== -1;
        if (follows && !isKnown && !leave(relative, root.whyNot.file(relative))) continue;
        yield await planFile(file, known, takenBy, ages, options);
      }
    }
    yield* left;
  }
}

async function planFile(
  file: FileStatus,
  known: KnownFiles,
  takenBy: CheckpointFinder,
  ages: AgeGate,
  { fileSystem, spec, roots, planner }: SourcePlanOptions,
): Promise<FilePlan> {
  const { path, sizeBytes, modifiedNs } = file;
  const skip = (reason: SkipReason, why: string): FilePlan => ({ action: 'skip', path, reason, why });
  const entry = known.find(path);
  const matches = entry === -1 ? null : known.matches(entry, sizeBytes, modifiedNs);
  const verdict = judge(matches === true ? known.mayBe(entry, file.fileKey) : matches, spec.modified);
  switch (verdict) {
    case 'same':
      return skip('taken', `taken at checkpoint ${takenBy.find(file)}`);
    case 'ignore':
      return skip(
        'modified',
        `changed since it was taken at checkpoint ${takenBy.find(file)} (modified: ignore)`,
      );
    case 'fail':
      return skip('modified', 'changed since it was taken: the job would stop (modified: fail)');
    case 'take':
    case 'reread':
    case 'append':
      break;
    default:
      return unreachable(verdict);
  }
  const youngMs = ages.remainingMs(file);
  if (youngMs > 0)
    return skip('too_young', `younger than min_age for another ${Math.ceil(youngMs / 1000)} s`);
  try {
    let plan: TakenPlan | null = null;
    if (spec.modified === 'append') {
      const { onReplaced, rotation } = spec;
      const isWanted = (other: string) => roots.some((root) => wants(root, other));
      const follower = new AppendFollower({ fileSystem, known, planner, onReplaced, rotation, isWanted });
      const { following } = await follower.look(file);
      if (following.kind === 'wait' || following.kind === 'copy')
        return skip('modified', 'it is the copy of a file beside it (rotation: copytruncate)');
      if (following.kind === 'unfollowed') return skip('modified', `${following.why} (modified: append)`);
      if (following.kind === 'replaced' && following.plan === null)
        return skip('modified', `${following.why} (on_replaced: ${onReplaced})`);
      plan = following.plan;
    } else {
      const looked = planner.planUnseen(file) ?? (await planner.plan(file, null));
      if (looked.kind !== 'replaced') plan = looked;
    }
    if (plan === null) return skip('gone', 'it changed when it was looked at');
    if (plan.kind === 'nothing') return skip('nothing_new', 'no whole line was added');
    const { startByte, endByte, compression } = plan;
    const split: Split = {
      id: '0.0',
      fileId: '0',
      path,
      sizeBytes,
      modifiedNs: String(modifiedNs),
      compression,
      startByte,
      endByte,
      position: startPosition(startByte),
    };
    return {
      action: 'read',
      path,
      bytes: (endByte ?? sizeBytes) - startByte,
      splits: countCuts(planner, split),
      from_byte: startByte,
    };
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code !== 'NOT_FOUND' && error.code !== 'FILE_MODIFIED') throw error;
    return skip('gone', 'it was gone when it was looked at');
  }
}

function countCuts(planner: SplitPlanner, split: Split): number {
  let count = 1;
  for (let rest = planner.cut(split)[1]; rest !== null; rest = planner.cut(rest)[1]) count++;
  return count;
}

function resume(path: string, splits: readonly Split[]): FilePlan {
  return {
    action: 'resume',
    path,
    bytes: splits.reduce((sum, split) => sum + remainingBytes(split), 0),
    splits: splits.length,
    from_byte: Math.min(...splits.map(({ position }) => position.offset)),
  };
}

/** Which checkpoint took a file: the last one whose piece of the table changed what is known of it. */
class CheckpointFinder {
  readonly #tables: { readonly checkpointId: number; readonly files: KnownFiles }[];

  constructor(pieces: readonly KnownPiece[], followAppends: boolean) {
    this.#tables = pieces.map(({ checkpointId, delta }) => {
      const files = new KnownFiles(followAppends);
      files.apply(delta);
      return { checkpointId, files };
    });
  }

  /** In a piece that was written anew from older ones the number is that of the writing. */
  find({ path }: FileStatus): string {
    const table = this.#tables.findLast(({ files }) => files.find(path) !== -1);
    if (table === undefined) return '?';
    return table === this.#tables[0] ? `${table.checkpointId} or before` : String(table.checkpointId);
  }
}
