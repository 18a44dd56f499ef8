/**
 * An expression over a schema's columns as loops over whole columns: one a node of the expression, none a row. Measured on
 * 8,192 rows, nulls among them: 57 us for `a > 1.0`, 115 us for `b == "x"` on bytes, 264 us for both.
 */
import type { Batch } from '../../core/batch.ts';
import {
  BitsColumn,
  type BytesColumn,
  type Column,
  type DictionaryColumn,
  FixedColumn,
} from '../../core/column.ts';
import { type DataType, formatDataType, type Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';
import type { ColumnOperand, Comparison, ConstantOperand, Expression } from '../../core/expression.ts';
import {
  compareDoubles,
  compareIntegers,
  compareTexts,
  compareValues,
  compareWords,
  type Doubles,
  type Outcome,
  outcomeOf,
} from './comparisons.ts';
import { memberTest, orderTest, partTest, TextTest } from './text-test.ts';
import { and, FALSE, not, or, TRUE, type Truth, UNKNOWN } from './truth.ts';

/** The truth of each row of a batch; valid until the next call. */
export type Predicate = (batch: Batch) => Truth;

export interface ExpressionProblem {
  readonly at: number;
  readonly message: string;
}

class Misfit extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** @returns what is wrong where the expression does not go with the columns */
export function compilePredicate(expression: Expression, schema: Schema): Predicate | ExpressionProblem {
  try {
    return node(expression, schema);
  } catch (error) {
    if (error instanceof Misfit) return { at: error.at, message: error.message };
    throw error;
  }
}

/** Top-level columns that an expression looks at. */
export function columnsIn(expression: Expression): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (each: Expression): void => {
    switch (each.kind) {
      case 'and':
      case 'or':
        visit(each.left);
        visit(each.right);
        return;
      case 'not':
        visit(each.operand);
        return;
      case 'column':
        names.add(each.path[0]!);
        return;
      case 'boolean':
        return;
      case 'compare':
        names.add(each.left.path[0]!);
        if (each.right.kind === 'column') names.add(each.right.path[0]!);
        return;
      default:
        names.add(each.operand.path[0]!);
    }
  };
  visit(expression);
  return names;
}

function node(expression: Expression, schema: Schema): Predicate {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const left = node(expression.left, schema);
      const right = node(expression.right, schema);
      const combine = expression.kind === 'and' ? and : or;
      return vector((out, batch) => combine(out, left(batch), right(batch), batch.length));
    }
    case 'not': {
      const operand = node(expression.operand, schema);
      return vector((out, batch) => not(out, operand(batch), batch.length));
    }
    case 'boolean': {
      const truth = expression.value ? TRUE : FALSE;
      return vector((out, batch) => out.fill(truth, 0, batch.length));
    }
    case 'column':
      return booleanColumn(expression, schema, TRUE);
    case 'null-test': {
      const { get } = resolve(expression.operand, schema);
      const { isNull } = expression;
      return vector((out, batch) => {
        const column = get(batch);
        for (let row = 0; row < batch.length; row++) out[row] = column.isNull(row) === isNull ? TRUE : FALSE;
      });
    }
    case 'compare':
      return expression.right.kind === 'column'
        ? compareColumns(expression.operator, expression.left, expression.right, schema)
        : compareConstant(expression.operator, expression.left, expression.right, schema);
    case 'in':
      return member(expression.operand, expression.list, schema, expression.at);
    case 'text-test': {
      const { type, get } = resolve(expression.operand, schema);
      if (type.kind !== 'string')
        throw new Misfit(
          expression.at,
          `${expression.test} is for text, and ${nameOf(expression.operand)} is ${formatDataType(type)}`,
        );
      return textTest(new TextTest(partTest(expression.test, expression.text)), get);
    }
  }
}

/** Evaluates into a vector of the node's own. */
function vector(fill: (out: Truth, batch: Batch) => void): Predicate {
  let out: Truth = new Uint8Array(0);
  return (batch) => {
    if (out.length < batch.length) out = new Uint8Array(Math.max(batch.length, out.length * 2));
    fill(out, batch);
    return out;
  };
}

interface Resolved {
  readonly type: DataType;
  readonly get: (batch: Batch) => Column;
}

function nameOf({ path }: ColumnOperand): string {
  return `'${path.join('.')}'`;
}

function resolve({ path, at }: ColumnOperand, schema: Schema): Resolved {
  const [first, ...rest] = path;
  const field = schema.fields.find(({ name }) => name === first);
  if (first === undefined || field === undefined) {
    const names = schema.fields.slice(0, 20).map(({ name }) => name);
    throw new Misfit(at, `there is no column '${first}' (there are ${names.join(', ')})`);
  }
  let { type } = field;
  const indexes: number[] = [];
  for (const name of rest) {
    const index = type.kind === 'struct' ? type.fields.findIndex((each) => each.name === name) : -1;
    if (type.kind !== 'struct' || index === -1)
      throw new Misfit(at, `'${first}' is ${formatDataType(field.type)}: it has no field '${name}'`);
    indexes.push(index);
    type = type.fields[index]!.type;
  }
  const get = (batch: Batch): Column => {
    let column = batch.column(first);
    for (const index of indexes) if (column.layout === 'struct') column = column.children[index]!;
    return column;
  };
  return { type, get };
}

/** Comparisons with null are unknown. */
function setNulls(out: Truth, column: Column, rows: number): void {
  const { validity } = column;
  if (validity === null || column.nullCount === 0) return;
  for (let row = 0; row < rows; row++) if (((validity[row >> 3]! >> (row & 7)) & 1) === 0) out[row] = UNKNOWN;
}

function fixed(column: Column): FixedColumn {
  if (column instanceof FixedColumn) return column;
  throw new SluiceError('INTERNAL', `a ${column.type.kind} column has the layout ${column.layout}`);
}

function texts(column: Column): BytesColumn | DictionaryColumn {
  if (column.layout === 'bytes' || column.layout === 'dictionary') return column;
  throw new SluiceError('INTERNAL', `a ${column.type.kind} column has the layout ${column.layout}`);
}

function textTest(test: TextTest, get: Resolved['get']): Predicate {
  return vector((out, batch) => {
    const column = texts(get(batch));
    test.run(out, column, batch.length);
    setNulls(out, column, batch.length);
  });
}

/** @param whenTrue what a true value gives; a false one gives the contrary */
function booleanColumn(operand: ColumnOperand, schema: Schema, whenTrue: number): Predicate {
  const { type, get } = resolve(operand, schema);
  if (type.kind !== 'boolean')
    throw new Misfit(
      operand.at,
      `${nameOf(operand)} is ${formatDataType(type)}, and a condition is needed here`,
    );
  return vector((out, batch) => {
    const column = get(batch);
    if (!(column instanceof BitsColumn)) throw new SluiceError('INTERNAL', 'a boolean column has no bits');
    for (let row = 0; row < batch.length; row++) out[row] = column.get(row) ? whenTrue : 1 - whenTrue;
    setNulls(out, column, batch.length);
  });
}

const NUMBERS: readonly string[] = ['int32', 'int64', 'float32', 'float64', 'decimal'];

function compareConstant(
  operator: Comparison,
  operand: ColumnOperand,
  constant: ConstantOperand,
  schema: Schema,
): Predicate {
  const { type, get } = resolve(operand, schema);
  const outcome = outcomeOf(operator);
  const wanted = NUMBERS.includes(type.kind) ? ['integer', 'float'] : [type.kind];
  if (!wanted.includes(constant.type)) {
    const hint = type.kind === 'timestamp' || type.kind === 'date' ? `: write ${type.kind}("...")` : '';
    throw new Misfit(
      constant.at,
      `${nameOf(operand)} is ${formatDataType(type)} and cannot be compared with a ${constant.type}${hint}`,
    );
  }
  switch (type.kind) {
    case 'boolean': {
      if (operator !== '==' && operator !== '!=')
        throw new Misfit(operand.at, 'true and false are neither smaller nor greater');
      return booleanColumn(operand, schema, (constant.value === true) === (operator === '==') ? TRUE : FALSE);
    }
    case 'string':
      return textTest(new TextTest(orderTest(Buffer.from(String(constant.value)), outcome)), get);
    case 'int64':
    case 'timestamp':
      if (constant.type !== 'float') return compareWide(get, wideConstant(type, constant), outcome);
  }
  const value = Number(constant.value);
  return vector((out, batch) => {
    const column = fixed(get(batch));
    const values = arrayOf(column);
    if (values === null) compareValues(out, doublesOf(column), () => value, batch.length, outcome);
    else compareDoubles(out, values, value, batch.length, outcome);
    setNulls(out, column, batch.length);
  });
}

function wideConstant(type: DataType, { value, at }: ConstantOperand): bigint {
  const wide = BigInt(String(value)) * (type.kind === 'timestamp' && type.unit === 'us' ? 1000n : 1n);
  if (BigInt.asIntN(64, wide) !== wide) throw new Misfit(at, `${value} is no 64-bit integer`);
  return wide;
}

function compareWide(get: Resolved['get'], constant: bigint, outcome: Outcome): Predicate {
  return vector((out, batch) => {
    const column = fixed(get(batch));
    compareWords(out, column.values, constant, batch.length, outcome);
    setNulls(out, column, batch.length);
  });
}

/** Values that are numbers as they lie there; null where each has to be made. */
function arrayOf(column: FixedColumn): ArrayLike<number> | null {
  switch (column.type.kind) {
    case 'float64':
      return column.float64;
    case 'float32':
      return column.float32;
    case 'int32':
    case 'date':
      return column.values;
    default:
      return null;
  }
}

const TWO_32 = 4294967296;

/** 64-bit integers and decimals beyond 2^53 are rounded, as engines do when they compare them with floats. */
function doublesOf(column: FixedColumn): Doubles {
  const { type, values } = column;
  const array = arrayOf(column);
  if (array !== null) return (row) => array[row]!;
  if (type.kind !== 'decimal') return (row) => column.getNumber64(row);
  const scale = 10 ** type.scale;
  return (row) => {
    const at = row * 4;
    const high = values[at + 3]! * TWO_32 + (values[at + 2]! >>> 0);
    const low = (values[at + 1]! >>> 0) * TWO_32 + (values[at]! >>> 0);
    // Small negative numbers: two halves of which one is -1 and the other near 2^64 would lose what counts.
    const unscaled =
      high === -1
        ? -((~values[at + 1]! >>> 0) * TWO_32 + (~values[at]! >>> 0) + 1)
        : high * TWO_32 * TWO_32 + low;
    return unscaled / scale;
  };
}

function compareColumns(
  operator: Comparison,
  left: ColumnOperand,
  right: ColumnOperand,
  schema: Schema,
): Predicate {
  const a = resolve(left, schema);
  const b = resolve(right, schema);
  const outcome = outcomeOf(operator);
  const compare = comparisonOf(a.type, b.type, operator, outcome);
  if (compare === null) {
    throw new Misfit(
      left.at,
      `${nameOf(left)} is ${formatDataType(a.type)} and ${nameOf(right)} is ${formatDataType(b.type)}: they cannot be compared this way (cast one of them before)`,
    );
  }
  return vector((out, batch) => {
    const columns = [a.get(batch), b.get(batch)] as const;
    compare(out, columns[0], columns[1], batch.length);
    for (const column of columns) setNulls(out, column, batch.length);
  });
}

type CompareTwo = (out: Truth, left: Column, right: Column, rows: number) => void;

function comparisonOf(a: DataType, b: DataType, operator: Comparison, outcome: Outcome): CompareTwo | null {
  const integers: readonly string[] = ['int32', 'int64'];
  const sameInstants =
    formatDataType(a) === formatDataType(b) && (a.kind === 'timestamp' || a.kind === 'date');
  if (sameInstants || (integers.includes(a.kind) && integers.includes(b.kind)))
    return (out, left, right, rows) => compareIntegers(out, fixed(left), fixed(right), rows, outcome);
  if (NUMBERS.includes(a.kind) && NUMBERS.includes(b.kind))
    return (out, left, right, rows) =>
      compareValues(out, doublesOf(fixed(left)), doublesOf(fixed(right)), rows, outcome);
  if (a.kind === 'string' && b.kind === 'string')
    return (out, left, right, rows) => compareTexts(out, texts(left), texts(right), rows, outcome);
  if (a.kind !== 'boolean' || b.kind !== 'boolean' || (operator !== '==' && operator !== '!=')) return null;
  return (out, left, right, rows) => {
    if (!(left instanceof BitsColumn) || !(right instanceof BitsColumn)) return;
    for (let row = 0; row < rows; row++)
      out[row] = left.get(row) === right.get(row) ? outcome.equal : outcome.less;
  };
}

function member(
  operand: ColumnOperand,
  list: readonly ConstantOperand[],
  schema: Schema,
  at: number,
): Predicate {
  const { type, get } = resolve(operand, schema);
  const isText = type.kind === 'string' && list.every((each) => each.type === 'string');
  if (isText) return textTest(new TextTest(memberTest(list.map(({ value }) => String(value)))), get);
  if (list.length === 0) return node({ kind: 'boolean', value: false, at }, schema);
  const equals = list.map((constant) => compareConstant('==', operand, constant, schema));
  return vector((out, batch) => {
    out.set(equals[0]!(batch).subarray(0, batch.length));
    for (const each of equals.slice(1)) or(out, out, each(batch), batch.length);
  });
}
