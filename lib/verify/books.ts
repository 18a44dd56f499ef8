/** What the newest checkpoint and the ledger say that there has to be. All of one moment. */
import { type Checkpoint, openPartsOf } from '../commit/checkpoint.ts';
import { CheckpointStore } from '../commit/checkpoint-store.ts';
import { proveNeverRan } from '../commit/lake-marker.ts';
import {
  type ForgottenEntry,
  foldEntries,
  type InputEntry,
  inputEntry,
  type LedgerEntry,
} from '../commit/ledger/entry.ts';
import { type LedgerOpening, type LedgerState, openLedger, readLedger } from '../commit/ledger/ledger.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { Split } from '../source/split.ts';
import { addTallies, NO_TALLY, type SplitTally } from '../source/tally.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { PendingFile } from '../storage/recoverable-writer.ts';

/** A part that has to be visible, or is about to be. */
export interface PartBook {
  readonly path: string;
  /** null: merged of parts that are older than the ledger, and so not known. */
  readonly rows: number | null;
  readonly sizeBytes: number;
  readonly quarantine: boolean;
}

export interface Books {
  readonly checkpoint: Checkpoint;
  readonly ledger: LedgerState;
  /** What was read, folded; splits that are being read among them, with `end` null. */
  readonly inputs: readonly InputBook[];
  /** Files that were read and that the source has forgotten, in sums; null: none yet. */
  readonly forgotten: ForgottenEntry | null;
  /** By path. */
  readonly parts: ReadonlyMap<string, PartBook>;
  /** Parts whose rows are in another one by now, and in which. */
  readonly superseded: ReadonlyMap<string, string>;
  /** Promised, and perhaps not published yet. By final path. */
  readonly pending: ReadonlyMap<string, PendingFile>;
  /** The merged part of each swap that is promised, by its own path and by those of its sources: either may be there. */
  readonly swaps: ReadonlyMap<string, PendingFile>;
  /** Parts that were replaced and stay for a while, for readers of a table. */
  readonly replaced: ReadonlySet<string>;
  readonly balance: Balance;
}

export interface InputBook extends Omit<InputEntry, 'end' | 'type'> {
  /** null: it is being read, or waits. */
  readonly end: InputEntry['end'] | null;
}

/** Of all rows that the ledger tells of. */
export interface Balance {
  readonly read: SplitTally;
  /** Of these, what was read out of the quarantine. */
  readonly replayed: SplitTally;
  /** In parts that were promised, and in open ones. */
  readonly published: number;
  readonly open: number;
  readonly lateDropped: number;
  readonly quarantined: number;
  readonly quarantineOpen: number;
}

/** Times that the ledger is read anew because the job that runs has written it anew meanwhile. */
const MAX_ROUNDS = 20;

/** @throws SluiceError STATE_CORRUPT, STATE_VERSION, STATE_MISSING; USAGE where the job never ran */
export async function readBooks(fileSystem: FileSystem, job: CompiledJob): Promise<Books> {
  const { statePath } = job;
  for (let round = 1; ; round++) {
    const store = new CheckpointStore(fileSystem, statePath);
    const checkpoint = await store.load();
    if (checkpoint === null) {
      await proveNeverRan(fileSystem, job);
      throw new SluiceError('USAGE', `the job has no state in ${statePath}: it never ran`, {
        hint: 'there is nothing to verify before its first checkpoint',
      });
    }
    const ledger = checkpoint.ledger ?? openLedger(checkpoint);
    try {
      const entries = await readLedger(ledger, { fileSystem, segmentsFolder: store.segmentsFolder });
      return openBooks(checkpoint, ledger, entries);
    } catch (thrown) {
      const newest = await store.load();
      if (newest === null || newest.id === checkpoint.id || round === MAX_ROUNDS) throw thrown;
    }
  }
}

function openBooks(checkpoint: Checkpoint, ledger: LedgerState, entries: readonly LedgerEntry[]): Books {
  const parts = new Map<string, PartBook>();
  const superseded = new Map<string, string>();
  let published = 0;
  let quarantined = 0;
  const folded = foldEntries(entries);
  const forgotten = folded.find((entry) => entry.type === 'forgotten') ?? null;
  for (const entry of folded) {
    if (entry.type === 'part') {
      parts.set(entry.path, { ...entry, quarantine: entry.quarantine === true });
      if (entry.quarantine) quarantined += entry.rows;
      else published += entry.rows;
    } else if (entry.type === 'swap') {
      // Of older parts: what is known of their rows stays in the balance.
      for (const source of entry.sources) {
        parts.delete(source);
        superseded.set(source, entry.path);
      }
      parts.set(entry.path, { path: entry.path, rows: null, sizeBytes: entry.sizeBytes, quarantine: false });
    }
  }
  for (const entry of entries)
    if (entry.type === 'swap') for (const source of entry.sources) superseded.set(source, entry.path);
  const inputs: InputBook[] = [
    ...folded.filter((entry) => entry.type === 'input'),
    ...openSplits(checkpoint),
  ];
  const open = rowsOf(checkpoint.subtasks.flatMap(({ sink }) => sink.openParts));
  return {
    checkpoint,
    ledger,
    inputs,
    forgotten,
    parts,
    superseded,
    pending: new Map(checkpoint.committables.map(({ file }) => [file.finalPath, file])),
    swaps: new Map(
      (checkpoint.compaction?.swaps ?? []).flatMap(({ file, sources }) =>
        [file.finalPath, ...sources].map((path) => [path, file]),
      ),
    ),
    replaced: new Set((checkpoint.replaced ?? []).map(({ path }) => path)),
    balance: {
      read: inputs.reduce((sum, { tally }) => addTallies(sum, tally), forgotten?.tally ?? NO_TALLY),
      replayed: inputs
        .filter(({ lane }) => lane === 'replay')
        .reduce((sum, { tally }) => addTallies(sum, tally), NO_TALLY),
      published,
      open,
      lateDropped: ledger.lateDropped,
      quarantined,
      quarantineOpen: rowsOf(openPartsOf(checkpoint)) - open,
    },
  };
}

/** Splits that nobody has read to their ends, of both lanes. */
function openSplits(checkpoint: Checkpoint): InputBook[] {
  const lane = checkpoint.lane ?? 'source';
  const other = lane === 'source' ? 'replay' : 'source';
  const here = [
    ...checkpoint.subtasks.flatMap(({ splits }) => splits),
    ...(checkpoint.enumerator?.splits ?? []),
  ];
  const parked: readonly Split[] = checkpoint.parked?.enumerator?.splits ?? [];
  const bookOf = (split: Split, of: 'source' | 'replay') => ({
    ...inputEntry({ split: { ...split, tally: split.tally ?? NO_TALLY }, kind: 'read' }, of)!,
    end: null,
  });
  return [...here.map((split) => bookOf(split, lane)), ...parked.map((split) => bookOf(split, other))];
}

/** What there was when the ledger was begun; nothing where it is as old as the job. */
export function openingOf({ ledger }: Books): LedgerOpening {
  return ledger.opening ?? { openRows: 0, openQuarantined: 0, nextCounter: 0, nextMerged: 0 };
}

function rowsOf(parts: readonly { readonly rows: number }[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}
