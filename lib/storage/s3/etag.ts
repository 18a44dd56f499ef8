/** ETags: what an object's version is told by. */
import { createHash, hash } from 'node:crypto';
import type { UploadedPart } from './object-store.ts';

/** 64 bits that stand for an ETag. */
export function etagIdentity(etag: string): bigint {
  const value = Buffer.from(hash('sha256', bare(etag), 'hex').slice(0, 16), 'hex').readBigInt64LE();
  // Tables keep 0 for files that have no identity.
  return value === 0n ? 1n : value;
}

const NS_PER_S = 1_000_000_000n;

/**
 * What tells an object from its predecessors. A time of modification in whole seconds, as some answers have it and some
 * have not, tells too little: in place of the fraction stand bits of the ETag.
 */
export function versionOf(etag: string, modifiedMs: number): { modifiedNs: bigint; identity: bigint } {
  const identity = etagIdentity(etag);
  const fraction = BigInt.asUintN(64, identity) % NS_PER_S;
  return { modifiedNs: BigInt(Math.floor(modifiedMs / 1000)) * NS_PER_S + fraction, identity };
}

const MD5 = /^[0-9a-f]{32}$/;

/** The ETag of a completed upload, in Amazon's form `md5(md5s)-N`; null where the parts' ETags are no MD5. */
export function completedEtag(parts: readonly UploadedPart[]): string | null {
  const digest = createHash('md5');
  for (const { etag } of parts) {
    if (!MD5.test(bare(etag))) return null;
    digest.update(Buffer.from(bare(etag), 'hex'));
  }
  return `${digest.digest('hex')}-${parts.length}`;
}

/** Without its quotes. */
export function bare(etag: string): string {
  return etag.replaceAll('"', '');
}
