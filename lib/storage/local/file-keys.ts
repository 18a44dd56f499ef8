/** What tells files from each other on the local disk: see FileStatus. */
import type { BigIntStats } from 'node:fs';

/** Odd 64-bit numbers (those of splitmix64 and murmur3): what they are multiplied with ends up in all the upper bits. */
const MIX = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0xff51afd7ed558ccdn] as const;

/**
 * Inode numbers are given away again, on some file systems at once; the time of creation tells the old from the new. It is
 * 0 where the file system does not keep it. Never 0n.
 */
export function withFileKey({ dev, ino, birthtimeNs, nlink }: BigIntStats): { fileKey?: bigint } {
  // Each name of it may be read as a file of its own.
  if (nlink !== 1n) return {};
  return { fileKey: mixed(ino * MIX[0] + dev * MIX[1] + birthtimeNs * MIX[2]) };
}

/** The time of creation alone: where it is kept, inode numbers may still be made up anew for the same file (exFAT). */
export function withBirthKey({ birthtimeNs }: BigIntStats): { birthKey?: bigint } {
  return birthtimeNs > 0n ? { birthKey: mixed(birthtimeNs * MIX[2]) } : {};
}

/** Never 0n. */
function mixed(sum: bigint): bigint {
  const low = BigInt.asUintN(64, sum);
  const key = low ^ (low >> 32n);
  return key === 0n ? 1n : key;
}
