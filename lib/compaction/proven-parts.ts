/**
 * Which parts of a lake compaction may merge: those that are as the ledger says. What was torn, what a backup brought back
 * after it had been merged, and what somebody put there looks like a part as well, and merged it would be in the lake for
 * good.
 */
import type { Checkpoint } from '../commit/checkpoint.ts';
import type { CheckpointStore } from '../commit/checkpoint-store.ts';
import { isOlderThanLedger, type LedgerState, ledgerPieces } from '../commit/ledger/ledger.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { SmallPart } from './plan.ts';

export interface LedgerSource {
  readonly jobId: string;
  readonly newest: () => Pick<Checkpoint, 'ledger' | 'compaction'> | undefined;
  readonly fileSystem: FileSystem;
  readonly segmentsFolder: string;
}

export function ledgerOf(jobId: string, store: CheckpointStore, fileSystem: FileSystem): LedgerSource {
  const newest = () => store.retained.at(-1);
  return { jobId, newest, fileSystem, segmentsFolder: store.segmentsFolder };
}

/** Readings of the ledger that are begun, at the most: the job goes on meanwhile, and removes what it has written anew. */
const MAX_READINGS = 10;

/** @returns those of them that may be merged @throws SluiceError STATE_CORRUPT */
export async function provenParts(
  listed: readonly SmallPart[],
  source: LedgerSource,
): Promise<readonly SmallPart[]> {
  const wanted = new Set(listed.map(({ path }) => path));
  for (let reading = 1; ; reading++) {
    const newest = source.newest();
    const state = newest?.ledger;
    // Of a state that is older than ledgers are.
    if (state === undefined || listed.length === 0) return listed;
    try {
      const sizes = await sizesOf(wanted, state, source);
      // The ledger tells of them only after the checkpoint that promises them.
      for (const { file, sources } of newest?.compaction?.swaps ?? []) {
        if (!wanted.has(file.finalPath)) continue;
        sizes.set(file.finalPath, file.lengthBytes);
        for (const path of sources) sizes.set(path, null);
      }
      return listed.filter(({ path, sizeBytes }) => {
        const known = sizes.get(path);
        return known === undefined ? isOlderThanLedger(path, source.jobId, state) : known === sizeBytes;
      });
    } catch (error) {
      const isGone = error instanceof SluiceError && error.code === 'STATE_CORRUPT';
      if (!isGone || source.newest() === newest || reading === MAX_READINGS) throw error;
    }
  }
}

/** Of those that the ledger knows; null for what was merged into another part. */
async function sizesOf(
  wanted: ReadonlySet<string>,
  state: LedgerState,
  source: LedgerSource,
): Promise<Map<string, number | null>> {
  const sizes = new Map<string, number | null>();
  for await (const entries of ledgerPieces(state, source)) {
    for (const entry of entries) {
      if (entry.type !== 'part' && entry.type !== 'swap') continue;
      if (wanted.has(entry.path)) sizes.set(entry.path, entry.sizeBytes);
      if (entry.type === 'swap')
        for (const path of entry.sources) if (wanted.has(path)) sizes.set(path, null);
    }
  }
  return sizes;
}
