/**
 * Which parts of a bucket are merged into one: a pure decision over their sizes.
 *
 * A part of half the target or more is done with, for ever. What is smaller waits until there is so much of it that a
 * full part can be made and 1.2 times the target is left. A bucket that gets nothing any more is brought to its end with
 * what it has, in one part, or in two or three of about the same size. Were only half the target left, little more than
 * the whole of it might remain at the end, and its parts would have to make two halves exactly.
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

/** Of the target, what is left of a bucket when a part is made of it. */
const LEFT = 1.2;

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
  let waiting = parts.filter(({ sizeBytes }) => isSmall(sizeBytes, targetBytes)).sort(byPath);
  const units: Unit[] = [];
  while (sumOf(waiting) >= (1 + LEFT) * targetBytes) {
    const unit = fill(waiting, targetBytes);
    units.push(unit);
    waiting = without(waiting, unit);
  }
  if (quiet) units.push(...lastUnits(waiting, targetBytes));
  else if (waiting.length > maxSmallParts) units.push(thinOut(waiting, limits));
  return units.filter((unit) => unit.length >= 2);
}

/**
 * Merges some of too many, into a part that is small still: tiny ones into coins of about a 20th of the target, and where
 * there are coins enough, some of these into a lump of an eighth. Some coins always stay: lumps of one size alone, an odd
 * number of them, make no even halves.
 */
function thinOut(waiting: readonly SmallPart[], { targetBytes, maxSmallParts }: PlanLimits): SmallPart[] {
  const smallest = [...waiting].sort(bySize);
  const coins = smallest.filter(
    ({ sizeBytes }) => sizeBytes >= targetBytes / 32 && sizeBytes < targetBytes / 10,
  );
  const lump = fill(coins, targetBytes / 8);
  if (coins.length > maxSmallParts / 4 && lump.length >= 2) return lump;
  const tiny = smallest.filter(({ sizeBytes }) => sizeBytes < targetBytes / 32);
  return tiny.length >= 2 ? fill(tiny, targetBytes / 16) : fill(smallest, targetBytes / 8);
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

/** What a bucket is brought to its end with. */
function lastUnits(parts: readonly SmallPart[], targetBytes: number): Unit[] {
  const sum = sumOf(parts);
  if (sum <= targetBytes) return [parts];
  const least = Math.ceil(sum / targetBytes);
  const fits = (units: readonly Unit[]) => units.every((unit) => sumOf(unit) <= targetBytes);
  const tries = [
    spread(parts, least),
    ...(least === 2 ? [halve(parts)] : []),
    spread(parts, least + 1),
  ].filter(fits);
  // Too few small ones among them is better than a unit more; a unit that is too large is never made.
  const smallOnes = (units: readonly Unit[]) =>
    units.filter((unit) => isSmall(sumOf(unit), targetBytes)).length;
  const fewest = Math.min(...tries.map(smallOnes));
  const best = tries.find((units) => smallOnes(units) === fewest) ?? [fill(parts, targetBytes)];
  return best.map((unit) => [...unit].sort(byPath));
}

/** Largest first, each to the least: units differ by no more than the largest part, mostly by the smallest. */
function spread(parts: readonly SmallPart[], count: number): SmallPart[][] {
  const units = Array.from({ length: count }, () => ({ parts: [] as SmallPart[], sum: 0 }));
  for (const part of [...parts].sort(bySize).reverse()) {
    const least = units.reduce((a, b) => (b.sum < a.sum ? b : a));
    least.parts.push(part);
    least.sum += part.sizeBytes;
  }
  return units.map((unit) => unit.parts);
}

/** Parts that `halve` looks at; of more, `spread` makes halves that differ by less than anybody sees. */
const MAX_HALVED = 256;
/** Sums of parts that it keeps. */
const MAX_SUMS = 4096;

interface Sum {
  readonly bytes: number;
  readonly part: SmallPart | null;
  readonly rest: Sum | null;
}

/** The most even halves that can be found: sums of some of the parts, one for each 4096th of all, the nearest to half. */
function halve(parts: readonly SmallPart[]): SmallPart[][] {
  const total = sumOf(parts);
  let sums = new Map<number, Sum>([[0, { bytes: 0, part: null, rest: null }]]);
  for (const part of parts.slice(0, MAX_HALVED)) {
    const next = new Map(sums);
    for (const rest of sums.values()) {
      const bytes = rest.bytes + part.sizeBytes;
      const slot = Math.floor((bytes / total) * MAX_SUMS);
      if (bytes <= total / 2 && bytes > (next.get(slot)?.bytes ?? -1)) next.set(slot, { bytes, part, rest });
    }
    sums = next;
  }
  const half = new Set<SmallPart>();
  const most = [...sums.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
  for (let sum: Sum | null = most; sum?.part; sum = sum.rest) half.add(sum.part);
  return [[...half], parts.filter((part) => !half.has(part))];
}

function without(parts: readonly SmallPart[], unit: Unit): SmallPart[] {
  const gone = new Set(unit);
  return parts.filter((part) => !gone.has(part));
}

function byPath(a: SmallPart, b: SmallPart): number {
  return a.path < b.path ? -1 : 1;
}

function bySize(a: SmallPart, b: SmallPart): number {
  return a.sizeBytes - b.sizeBytes || (a.path < b.path ? -1 : 1);
}

function sumOf(parts: readonly SmallPart[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
