/** What becomes of what a reader refuses: pure decisions. */
import { type BadRecordCode, type DriftPolicy, NO_DRIFT } from '../core/decoder.ts';
import type { SluiceError } from '../core/errors.ts';
import type { BadRecordPolicy, SchemaDriftSpec } from '../core/specs.ts';
import { REST_CODES } from './record-errors.ts';

export interface RefusalPolicies {
  readonly onBadRecord: BadRecordPolicy;
  readonly drift?: SchemaDriftSpec;
}

/** What on_new_field and on_type_mismatch say goes before on_bad_record. */
export function policyFor(
  code: BadRecordCode | undefined,
  { drift, onBadRecord }: RefusalPolicies,
): BadRecordPolicy {
  if (code === 'new_field') return 'fail';
  const mismatch = code === 'type_mismatch' ? drift?.mismatch : undefined;
  return mismatch === 'fail' || mismatch === 'quarantine' ? mismatch : onBadRecord;
}

/** What of it is the decoder's part. */
export function driftPolicy(spec: SchemaDriftSpec | undefined): DriftPolicy {
  if (spec === undefined) return NO_DRIFT;
  const { newField, mismatch } = spec;
  return { newField, mismatch: mismatch === 'rescue' || mismatch === 'widen' ? mismatch : 'refuse' };
}

/** Of an error that is about the rest of a file, not about one record; null for others. */
export function restCode(error: SluiceError): BadRecordCode | null {
  return REST_CODES[error.code] ?? null;
}
