/**
 * How the ledger is kept: a checkpoint adds one segment with what is new, and from time to time writes the newest ones
 * anew in one, so that there are few of them and each entry is written a few times only, however long the ledger is. Whatever
 * is written anew leaves out files that are gone (see forget.ts); so that this comes to old pieces, too, one of them is
 * written anew from time to time, each in its turn.
 *
 *     segment := gzip(line*)      line := an entry, as JSON
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { failpoint } from '../../core/failpoint.ts';
import { nameOf } from '../../core/location.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import { readWholeSegment, type SegmentPiece, writeWholeSegment } from '../../storage/segment-file.ts';
import { type Checkpoint, openPartsOf } from '../checkpoint.ts';
import { foldEntries, type LedgerEntry } from './entry.ts';
import { type Forgetting, forgetFiles } from './forget.ts';

/** What a checkpoint holds of it. Plain JSON. */
export interface LedgerState {
  /** The first checkpoint that it tells of. 1: all of them. */
  readonly sinceCheckpoint: number;
  /** In this order. */
  readonly pieces: readonly LedgerPiece[];
  /** Rows that came late and were dropped: they are in no part. */
  readonly lateDropped: number;
  /** What there was before; absent where there was nothing. */
  readonly opening?: LedgerOpening;
}

export interface LedgerPiece extends SegmentPiece {
  readonly entries: number;
}

/** Of the state in which the ledger was begun. */
export interface LedgerOpening {
  /** In open parts of the lake, and of the quarantine: these parts are in the ledger, and what they hold was read before. */
  readonly openRows: number;
  readonly openQuarantined: number;
  /** Parts with a lower number in their names are not in the ledger, unless they were open; merged ones count apart. */
  readonly nextCounter: number;
  readonly nextMerged: number;
}

/** Pieces of the same order of size after which they are written anew in one. */
const FAN_IN = 8;
/** Pieces up to this are of one order of size. */
const SMALL_ENTRIES = 64;
/** A piece of so many entries is not written again: bounds the memory and the time that a checkpoint takes. */
const MAX_ENTRIES = 65_536;
/** A piece that is larger will hardly be merged: it is an old one. */
const OLD_ENTRIES = MAX_ENTRIES / FAN_IN;
/** Old pieces gone through for each new one of that size: in the long run, half of the pieces hold what is still needed. */
const SWEPT_A_PIECE = 2;
/** Checkpoints after which one is gone through in any case. */
const SWEEP_CHECKPOINTS = 256;

/** The ledger of a job that has none yet, and goes on from `base`. */
export function openLedger(base: Checkpoint): LedgerState {
  const begun = base.enumerator !== null || base.subtasks.length > 0;
  const sinceCheckpoint = begun ? base.id + 1 : 1;
  const empty = { sinceCheckpoint, pieces: [], lateDropped: 0 };
  if (!begun) return empty;
  const rowsOf = (parts: readonly { readonly rows: number }[]) =>
    parts.reduce((sum, { rows }) => sum + rows, 0);
  const openRows = rowsOf(base.subtasks.flatMap(({ sink }) => sink.openParts));
  const counters = base.subtasks.flatMap(({ sink, quarantine }) => [
    sink.nextCounter,
    quarantine?.nextCounter ?? 0,
  ]);
  return {
    ...empty,
    opening: {
      openRows,
      openQuarantined: rowsOf(openPartsOf(base)) - openRows,
      nextCounter: Math.max(0, ...counters),
      nextMerged: base.compaction?.nextCounter ?? 0,
    },
  };
}

export interface LedgerWriter {
  readonly fileSystem: FileSystem;
  readonly segmentsFolder: string;
  readonly runId: string;
}

/**
 * Writes what checkpoint `id` adds, durably. Nothing refers to it before the checkpoint does.
 * @param forgetting null: nothing is known of which files there are
 * @throws SluiceError FENCED where another process has written that segment; STATE_CORRUPT for one to be merged
 */
export async function appendToLedger(
  state: LedgerState,
  id: number,
  entries: readonly LedgerEntry[],
  writer: LedgerWriter,
  forgetting: Forgetting | null = null,
): Promise<LedgerState> {
  if (entries.length === 0) return state;
  const pieces = [...state.pieces];
  const lastId = idOf(pieces.at(-1));
  let added = foldEntries(entries);
  for (
    let count = mergedPieces(pieces, added.length);
    count > 0;
    count = mergedPieces(pieces, added.length)
  ) {
    const merged = pieces.splice(pieces.length - count);
    const before: LedgerEntry[] = [];
    for (const piece of merged) before.push(...(await readPiece(writer, piece)));
    added = fold([...before, ...added], forgetting);
  }
  const piece = await writePiece(writer, `${id}-ledger-${writer.runId}.segment`, added);
  if (forgetting !== null) {
    const isDue = Math.floor(id / SWEEP_CHECKPOINTS) > Math.floor(lastId / SWEEP_CHECKPOINTS);
    const count = added.length > OLD_ENTRIES ? SWEPT_A_PIECE : isDue ? 1 : 0;
    for (let n = 0; n < count; n++) await sweepOldest(pieces, `${id}-swept${n}`, writer, forgetting);
  }
  return { ...state, pieces: [...pieces, piece] };
}

function fold(entries: readonly LedgerEntry[], forgetting: Forgetting | null): LedgerEntry[] {
  const folded = foldEntries(entries);
  return forgetting === null ? folded : forgetFiles(folded, forgetting);
}

/** Writes the old piece anew that was written longest ago, in its place; what is left of it joins the piece before it. */
async function sweepOldest(
  pieces: LedgerPiece[],
  name: string,
  writer: LedgerWriter,
  forgetting: Forgetting,
): Promise<void> {
  const old = pieces.filter(({ entries }) => entries > OLD_ENTRIES);
  const oldest = old.sort((a, b) => idOf(a) - idOf(b))[0];
  if (oldest === undefined) return;
  const index = pieces.indexOf(oldest);
  const before = pieces[index - 1];
  let entries = fold(await readPiece(writer, oldest), forgetting);
  const joins = before !== undefined && before.entries + entries.length <= MAX_ENTRIES;
  if (joins) entries = fold([...(await readPiece(writer, before)), ...entries], forgetting);
  const piece = await writePiece(writer, `${name}-${writer.runId}.segment`, entries);
  pieces.splice(joins ? index - 1 : index, joins ? 2 : 1, piece);
}

/** The checkpoint that wrote a piece. */
function idOf(piece: LedgerPiece | undefined): number {
  return piece === undefined ? 0 : Number.parseInt(piece.segment, 10);
}

/** @throws SluiceError FENCED */
async function writePiece(
  writer: LedgerWriter,
  segment: string,
  entries: readonly LedgerEntry[],
): Promise<LedgerPiece> {
  const bytes = gzipSync(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { level: 1 });
  const piece = await writeWholeSegment(writer.fileSystem, writer.segmentsFolder, segment, bytes);
  failpoint('ledger.written');
  return { ...piece, entries: entries.length };
}

/** How many of the last pieces go into the new one: those of its order of size or a smaller one, if there are FAN_IN. */
function mergedPieces(pieces: readonly LedgerPiece[], added: number): number {
  const order = orderOf(added);
  let count = 0;
  let entries = added;
  for (let i = pieces.length - 1; i >= 0; i--) {
    entries += pieces[i]!.entries;
    if (orderOf(pieces[i]!.entries) > order || entries > MAX_ENTRIES) break;
    count++;
  }
  return count >= FAN_IN ? count : 0;
}

/** 0 up to SMALL_ENTRIES, then one more for each FAN_IN times as many: an entry is written again once an order. */
function orderOf(entries: number): number {
  return Math.max(0, Math.ceil(Math.log(entries / SMALL_ENTRIES) / Math.log(FAN_IN)));
}

/** All entries, oldest first. @throws SluiceError STATE_CORRUPT */
export async function readLedger(
  state: LedgerState,
  from: Pick<LedgerWriter, 'fileSystem' | 'segmentsFolder'>,
): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for await (const piece of ledgerPieces(state, from)) for (const entry of piece) entries.push(entry);
  return entries;
}

/** The same, one piece in memory at a time. @throws SluiceError STATE_CORRUPT */
export async function* ledgerPieces(
  state: LedgerState,
  from: Pick<LedgerWriter, 'fileSystem' | 'segmentsFolder'>,
): AsyncGenerator<readonly LedgerEntry[]> {
  for (const piece of state.pieces) yield await readPiece(from, piece);
}

/** Whether a part of this job was made before there was a ledger. */
export function isOlderThanLedger(path: string, jobId: string, { opening }: LedgerState): boolean {
  if (opening === undefined) return false;
  const match = new RegExp(`-${jobId}-(\\d+|c)-(\\d+)`).exec(nameOf(path));
  return match !== null && Number(match[2]) < (match[1] === 'c' ? opening.nextMerged : opening.nextCounter);
}

async function readPiece(
  { fileSystem, segmentsFolder }: Pick<LedgerWriter, 'fileSystem' | 'segmentsFolder'>,
  piece: LedgerPiece,
): Promise<LedgerEntry[]> {
  const bytes = await readWholeSegment(fileSystem, segmentsFolder, piece, {
    holds: 'what was read and written',
    hint: 'restore the state folder from a backup',
  });
  // The checksum proves that we wrote it.
  return gunzipSync(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerEntry);
}
