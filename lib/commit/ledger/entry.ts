/**
 * The ledger: what was taken of each input file and what became of it, and every part with its rows. Its entries are
 * made when a checkpoint is, and named by it, so they tell of the very moment that the checkpoint tells of.
 */

import type { Committable } from '../../sink/sink-state.ts';
import { isUntouched, type SplitOutcome } from '../../source/split.ts';
import { addTallies, NO_TALLY, type SplitTally } from '../../source/tally.ts';
import type { Lane } from '../lanes.ts';
import type { Swap } from '../swap.ts';

export type LedgerEntry = InputEntry | ForgottenEntry | PartEntry | SwapEntry;

/** A split that was read, or several of a file that lie side by side. */
export interface InputEntry {
  readonly type: 'input';
  readonly lane: Lane;
  readonly path: string;
  /** Of the taking: a file that is read again has another one. */
  readonly fileId: string;
  /** The lines that begin in [fromByte, toByte), decompressed; null: the end of the file. */
  readonly fromByte: number;
  readonly toByte: number | null;
  /** Of the file when it was taken, and what tells that version from others: see Split. */
  readonly sizeBytes: number;
  readonly modifiedNs: string;
  readonly identity?: string;
  readonly end: SplitOutcome['kind'];
  readonly tally: SplitTally;
}

/** Files that were read and that are gone: see forget.ts. */
export interface ForgottenEntry {
  readonly type: 'forgotten';
  /** Takes: a file that was read in two versions counts twice. */
  readonly files: number;
  readonly tally: SplitTally;
  /** Some were read as they grew: what is left of their ranges need not begin at 0. */
  readonly followed?: boolean;
}

/** A part that a checkpoint promises: its file is visible, or about to be. */
export interface PartEntry {
  readonly type: 'part';
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** It holds refused records. */
  readonly quarantine?: true;
}

/** A merged part that takes the place of others. */
export interface SwapEntry {
  readonly type: 'swap';
  readonly path: string;
  readonly sizeBytes: number;
  readonly sources: readonly string[];
}

/** null where nothing was read, and the split comes again. */
export function inputEntry({ split, kind }: SplitOutcome, lane: Lane): InputEntry | null {
  if (kind !== 'read' && isUntouched(split)) return null;
  const { path, fileId, startByte, endByte, sizeBytes, modifiedNs, identity, tally } = split;
  return {
    type: 'input',
    lane,
    path,
    fileId,
    fromByte: startByte,
    toByte: endByte,
    sizeBytes,
    modifiedNs,
    ...(identity === undefined ? {} : { identity }),
    end: kind,
    tally: tally ?? { ...NO_TALLY, partial: true },
  };
}

export function partEntry({ file, rows }: Committable): PartEntry {
  return { type: 'part', path: file.finalPath, rows, sizeBytes: file.lengthBytes };
}

export function swapEntries(swaps: readonly Swap[]): SwapEntry[] {
  return swaps.map(({ file, sources }) => ({
    type: 'swap',
    path: file.finalPath,
    sizeBytes: file.lengthBytes,
    sources,
  }));
}

/**
 * Fewer entries that say the same: ranges of a file that lie side by side become one, and parts that were all merged into
 * one become that one. The order of parts and swaps is kept; inputs come first, by path.
 */
export function foldEntries(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const inputs = entries.filter((entry) => entry.type === 'input').sort(compareInputs);
  const folded: InputEntry[] = [];
  for (const input of inputs) {
    const before = folded.at(-1);
    if (before !== undefined && continues(input, before)) folded[folded.length - 1] = join(before, input);
    else folded.push(input);
  }
  const forgotten = entries.filter((entry) => entry.type === 'forgotten');
  return [
    ...(forgotten.length === 0 ? [] : [forgotten.reduce(sumForgotten)]),
    ...folded,
    ...foldParts(entries),
  ];
}

function compareInputs(a: InputEntry, b: InputEntry): number {
  if (a.lane !== b.lane) return a.lane < b.lane ? -1 : 1;
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return Number(a.fileId) - Number(b.fileId) || a.fromByte - b.fromByte;
}

/** Whether `next` is what follows in the same file: the next range, or what was appended. */
function continues(next: InputEntry, before: InputEntry): boolean {
  return (
    next.path === before.path &&
    next.lane === before.lane &&
    next.fromByte > 0 &&
    next.fromByte === before.toByte &&
    next.end === 'read' &&
    before.end === 'read'
  );
}

/** The later one knows the file as it was then. */
function join(before: InputEntry, next: InputEntry): InputEntry {
  return { ...next, fromByte: before.fromByte, tally: addTallies(before.tally, next.tally) };
}

function foldParts(entries: readonly LedgerEntry[]): (PartEntry | SwapEntry)[] {
  const parts = new Map<string, PartEntry | SwapEntry>();
  for (const entry of entries) {
    if (entry.type === 'input' || entry.type === 'forgotten') continue;
    const sources = entry.type === 'swap' ? entry.sources.map((path) => parts.get(path)) : [];
    const known = sources.filter((source): source is PartEntry => source?.type === 'part');
    if (entry.type === 'part' || known.length < sources.length) {
      parts.set(entry.path, entry);
      continue;
    }
    for (const { path } of known) parts.delete(path);
    const rows = known.reduce((sum, part) => sum + part.rows, 0);
    parts.set(entry.path, { type: 'part', path: entry.path, rows, sizeBytes: entry.sizeBytes });
  }
  return [...parts.values()];
}

export function sumForgotten(a: ForgottenEntry, b: ForgottenEntry): ForgottenEntry {
  const followed = a.followed === true || b.followed === true;
  const sum: ForgottenEntry = {
    type: 'forgotten',
    files: a.files + b.files,
    tally: addTallies(a.tally, b.tally),
  };
  return followed ? { ...sum, followed } : sum;
}
