/** One way in which a lake is not what its inputs and the invariants I1-I4 say. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly what: string;
}

export type ViolationKind =
  | 'lost row'
  | 'doubled row'
  | 'unknown row'
  | 'changed value'
  | 'unexpected column'
  | 'wrong bucket'
  | 'unreadable part'
  | 'stray visible file'
  | 'stray hidden file'
  | 'vanished part'
  | 'changed part';

/**
 * What a process that was killed at work, compaction included, may leave for the next start to finish: rows under way,
 * hidden files, and, between the two halves of a swap, rows in a merged part and in the small ones.
 */
export function isFinishedLater({ kind, what }: Violation): boolean {
  if (kind === 'doubled row') return / and in .*-c-\d+\.|is in [^ ]*-c-\d+\./.test(what);
  return kind === 'lost row' || kind === 'stray hidden file';
}

/** Lines of a report that are worth reading; the counts are always complete. */
const MOST_SHOWN = 8;

/** `3 doubled row, 1 torn part` and the first few of each kind. Bounded, whatever went wrong. */
export function formatViolations(violations: readonly Violation[]): string {
  const byKind = new Map<string, string[]>();
  for (const { kind, what } of violations) {
    const lines = byKind.get(kind) ?? [];
    lines.push(what);
    byKind.set(kind, lines);
  }
  return [...byKind]
    .map(([kind, lines]) => {
      const shown = lines.slice(0, MOST_SHOWN).map((line) => `    ${line.slice(0, 400)}`);
      const rest = lines.length > MOST_SHOWN ? [`    ... and ${lines.length - MOST_SHOWN} more`] : [];
      return [`  ${lines.length} ${kind}`, ...shown, ...rest].join('\n');
    })
    .join('\n');
}
