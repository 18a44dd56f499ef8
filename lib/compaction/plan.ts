/**
 * Which parts of a bucket are merged into one: a pure decision over their sizes.
 *
 * A part of half the target or more is done with, for ever. What is smaller waits until there is so much of it that a
 * full part can be made and enough is left for another one; so whatever comes later, no part ends up much under half the
 * target (by half of the size of one that waited, at the most) but where a bucket has less than that in all. A bucket that gets nothing any more is brought to its end with
 * what it has, in one part or in two of about the same size.
 */

export interface SmallPart {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface PlanLimits {
  readonly targetBytes: number;
  /** Small parts in a bucket beyond which the smallest are merged at once, into a part that is small still. */
  readonly maxSmallParts: number;
}

/** Parts to merge into one, two at least. */
export type Unit = readonly SmallPart[];

export function isSmall(sizeBytes: number, targetBytes: number): boolean {
  return sizeBytes < targetBytes / 2;
}

/**
 * @param parts of one bucket, in any order
 * @param quiet whether nothing more is expected
 * @returns units that share no part
 */
export function planBucket(parts: readonly SmallPart[], limits: PlanLimits, quiet: boolean): Unit[] {
  const { targetBytes, maxSmallParts } = limits;
  // By path, so that two processes that see the same parts decide the same.
  let waiting = parts
    .filter(({ sizeBytes }) => isSmall(sizeBytes, targetBytes))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const units: Unit[] = [];
  while (sumOf(waiting) >= 1.5 * targetBytes) {
    const unit = fill(waiting, targetBytes);
    units.push(unit);
    waiting = without(waiting, unit);
  }
  if (quiet) units.push(...lastUnits(waiting, targetBytes));
  else if (waiting.length > maxSmallParts) {
    // Small enough that the last units can still be cut in halves; where even the smallest are larger, they wait.
    units.push(fill([...waiting].sort(bySize), targetBytes / 8));
  }
  return units.filter((unit) => unit.length >= 2);
}

/** As many parts, in their order, as one of the size takes; a part that does not fit is passed over. */
function fill(parts: readonly SmallPart[], sizeBytes: number): SmallPart[] {
  const unit: SmallPart[] = [];
  let sum = 0;
  for (const part of parts) {
    if (sum + part.sizeBytes > sizeBytes) continue;
    unit.push(part);
    sum += part.sizeBytes;
  }
  return unit;
}

function lastUnits(parts: readonly SmallPart[], targetBytes: number): Unit[] {
  if (sumOf(parts) <= targetBytes) return [parts];
  const halves: [SmallPart[], SmallPart[]] = [[], []];
  // Largest first, each to the lesser half: the two differ by no more than the smallest part.
  for (const part of [...parts].sort(bySize).reverse()) {
    halves[sumOf(halves[0]) <= sumOf(halves[1]) ? 0 : 1].push(part);
  }
  return even(halves).map((half) => half.sort((a, b) => (a.path < b.path ? -1 : 1)));
}

/** Parts of each half that are looked at, and exchanges that are made, at the most. */
const MAX_LOOKED_AT = 64;

/** Exchanges one part for another, or for none, as long as that makes the halves more alike. */
function even(halves: [SmallPart[], SmallPart[]]): [SmallPart[], SmallPart[]] {
  for (let round = 0; round < MAX_LOOKED_AT; round++) {
    const [more, less] = sumOf(halves[0]) >= sumOf(halves[1]) ? halves : [halves[1], halves[0]];
    const wanted = (sumOf(more) - sumOf(less)) / 2;
    let best: { give: SmallPart; take: SmallPart | null; offBy: number } | null = null;
    for (const give of more.slice(-MAX_LOOKED_AT)) {
      for (const take of [null, ...less.slice(-MAX_LOOKED_AT)]) {
        const offBy = Math.abs(give.sizeBytes - (take?.sizeBytes ?? 0) - wanted);
        if (offBy < (best?.offBy ?? wanted)) best = { give, take, offBy };
      }
    }
    if (best === null || best.offBy > wanted - 1) break;
    const { give, take } = best;
    more.splice(more.indexOf(give), 1);
    less.push(give);
    if (take !== null) {
      less.splice(less.indexOf(take), 1);
      more.push(take);
    }
  }
  return halves;
}

function without(parts: readonly SmallPart[], unit: Unit): SmallPart[] {
  const gone = new Set(unit);
  return parts.filter((part) => !gone.has(part));
}

function bySize(a: SmallPart, b: SmallPart): number {
  return a.sizeBytes - b.sizeBytes || (a.path < b.path ? -1 : 1);
}

function sumOf(parts: readonly SmallPart[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
