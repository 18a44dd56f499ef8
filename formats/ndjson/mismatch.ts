import type { DataType } from '../../lib/core/data-type.ts';

/** Why an object is no row. */
export interface Mismatch {
  /** Fields from the outside in, the top-level one first. */
  readonly path: readonly string[];
  /** A value as it stands in the text; null where there is none. */
  readonly at: { readonly start: number; readonly end: number } | null;
  /** `null` or no key where the field has to have a value, or a value that does not fit it. */
  readonly problem: 'null' | 'missing' | 'unfit';
  readonly type: DataType;
}
