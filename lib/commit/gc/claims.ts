/**
 * What retained checkpoints name: the files, segments and uploads that a recovery could ask for. Every text in a
 * checkpoint counts, in whatever field it stands, so that a field added later protects what it names without a change
 * here.
 */
import type { Checkpoint } from '../checkpoint.ts';

export type Claim =
  /** The checkpoint promises to publish it. */
  | { readonly kind: 'promised'; readonly checkpointId: number }
  /** A recovery from the checkpoint goes on with it. */
  | { readonly kind: 'resumable'; readonly checkpointId: number };

export interface Claims {
  /** By path of a hidden file, name of a segment, or id of an upload. The newest checkpoint that names it. */
  readonly named: ReadonlyMap<string, Claim>;
  /** Ids of the retained checkpoints, oldest first. */
  readonly retained: readonly number[];
  /** 0 where there is none. */
  readonly newestId: number;
}

/** No path, segment name or upload id is longer; the footers of open Parquet parts are. */
const MAX_NAME_LENGTH = 5000;
/** Large, and never naming a file of ours. */
const SKIPPED: ReadonlySet<string> = new Set(['schema', 'fingerprint', 'enumerator', 'splits', 'totals']);

/** @param checkpoints oldest first */
export function claimsOf(checkpoints: readonly Checkpoint[]): Claims {
  const named = new Map<string, Claim>();
  for (const checkpoint of checkpoints) {
    const { id: checkpointId, committables, compaction, ...rest } = checkpoint;
    collect(rest, (text) => named.set(text, { kind: 'resumable', checkpointId }));
    // Last, so that a promise is told as such.
    collect([committables, compaction?.swaps.map(({ file }) => file)], (text) =>
      named.set(text, { kind: 'promised', checkpointId }),
    );
  }
  return {
    named,
    retained: checkpoints.map(({ id }) => id),
    newestId: checkpoints.at(-1)?.id ?? 0,
  };
}

function collect(value: unknown, found: (text: string) => void): void {
  if (typeof value === 'string') {
    if (value.length <= MAX_NAME_LENGTH) found(value);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) if (!SKIPPED.has(key)) collect(item, found);
  }
}
