/** Steps of `transform` in a job file, compiled: they run in their order on the rows that were read. */
import type { DataType, Schema } from './data-type.ts';
import type { Expression } from './expression.ts';

export type TransformStep =
  | { readonly kind: 'filter'; readonly text: string; readonly expression: Expression }
  | { readonly kind: 'select' | 'drop'; readonly columns: readonly string[] }
  /** New names by old ones. */
  | { readonly kind: 'rename'; readonly names: Readonly<Record<string, string>> }
  | { readonly kind: 'cast'; readonly columns: Readonly<Record<string, CastSpec>> }
  | { readonly kind: 'constant'; readonly columns: Readonly<Record<string, ConstantSpec>> }
  /** Leaves out rows whose key is one of the last so many different keys. */
  | { readonly kind: 'deduplicate'; readonly key: readonly string[]; readonly rows: number }
  /** Code of the user's. `module`: absolute path; `schema` of the rows that it gives, null: that of those it gets. */
  | {
      readonly kind: 'map';
      readonly module: string;
      readonly schema: Schema | null;
      readonly options: unknown;
    }
  /** Values in place of null. */
  | { readonly kind: 'default'; readonly columns: Readonly<Record<string, ConstantValue>> };

export interface CastSpec {
  readonly type: DataType;
  /** A value that does not fit: the job stops, or the row has null. */
  readonly onError: 'fail' | 'null';
}

export type ConstantValue = string | number | boolean;

export interface ConstantSpec {
  readonly type: DataType;
  readonly value: ConstantValue;
}
