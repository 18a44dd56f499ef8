/** What a job has done since it began, as its checkpoints count it. */
import type { Committable } from '../sink/sink-state.ts';
import type { FileEnd } from '../source/open-files.ts';
import type { Checkpoint, Totals } from './checkpoint.ts';
import type { SnapshotAnswer } from './snapshot.ts';

/**
 * @param last the checkpoint before
 * @param fresh parts that the new one promises
 * @param ended files that it holds to their ends
 */
export function totalsAfter(
  { totals: before, lane }: Checkpoint,
  answers: readonly SnapshotAnswer[],
  fresh: readonly Committable[],
  ended: readonly FileEnd[],
): Totals {
  const missing = ended.filter(({ kind }) => kind === 'missing').length;
  const sum = (value: (answer: SnapshotAnswer) => number) =>
    answers.reduce((total, answer) => total + value(answer), 0);
  // A replay reads again what was counted when it was read first.
  const replaying = lane === 'replay';
  return {
    files: before.files + (replaying ? 0 : ended.length - missing),
    missingFiles: before.missingFiles + (replaying ? 0 : missing),
    rows: before.rows + sum(({ counts }) => counts.rows),
    rejected: before.rejected + sum(({ counts }) => counts.rejected),
    quarantined: (before.quarantined ?? 0) + sum(({ counts }) => counts.quarantined),
    filtered: (before.filtered ?? 0) + sum(({ counts }) => counts.filtered),
    duplicates: (before.duplicates ?? 0) + sum(({ counts }) => counts.duplicates),
    bytesIn: before.bytesIn + (replaying ? 0 : sum(({ counts }) => counts.bytesIn)),
    replayed: (before.replayed ?? 0) + (replaying ? sum(recordsOf) : 0),
    late: before.late + sum(({ counts }) => counts.late),
    parts: before.parts + fresh.length,
    bytesOut: before.bytesOut + fresh.reduce((total, { file }) => total + file.lengthBytes, 0),
  };
}

function recordsOf({ counts }: SnapshotAnswer): number {
  return counts.rows + counts.rejected + counts.quarantined + counts.filtered;
}
