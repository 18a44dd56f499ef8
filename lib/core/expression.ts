/**
 * A filter's expression, parsed: plain JSON, so that it goes to worker threads as it is. `at` is the index of the character
 * in the text where it stands, for errors.
 */
export type Expression =
  | {
      readonly kind: 'and' | 'or';
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly kind: 'not'; readonly operand: Expression; readonly at: number }
  /** A column of booleans, as it is. */
  | ColumnOperand
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: number }
  | {
      readonly kind: 'null-test';
      readonly operand: ColumnOperand;
      readonly isNull: boolean;
      readonly at: number;
    }
  | {
      readonly kind: 'compare';
      readonly operator: Comparison;
      readonly left: ColumnOperand;
      readonly right: ColumnOperand | ConstantOperand;
      readonly at: number;
    }
  | {
      readonly kind: 'in';
      readonly operand: ColumnOperand;
      readonly list: readonly ConstantOperand[];
      readonly at: number;
    }
  | {
      readonly kind: 'text-test';
      readonly test: 'startsWith' | 'endsWith' | 'contains';
      readonly operand: ColumnOperand;
      readonly text: string;
      readonly at: number;
    };

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** `a`, or `a.b` for a field of a struct. */
export interface ColumnOperand {
  readonly kind: 'column';
  readonly path: readonly string[];
  readonly at: number;
}

export interface ConstantOperand {
  readonly kind: 'constant';
  readonly type: 'string' | 'integer' | 'float' | 'boolean' | 'timestamp' | 'date';
  /** Integers in decimal, since JSON has none of 64 bits; timestamps in milliseconds, dates in days since 1970. */
  readonly value: string | number | boolean;
  readonly at: number;
}
