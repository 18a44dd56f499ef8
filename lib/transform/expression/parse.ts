/**
 * Filters are written in a part of CEL, the Common Expression Language (https://cel.dev). `@marcbachmann/cel-js` parses; what
 * it made is brought into our own form here, and nothing of the package evaluates anything. Null behaves as in SQL.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { DataType } from '../../core/data-type.ts';
import type { ColumnOperand, Comparison, ConstantOperand, Expression } from '../../core/expression.ts';
import { readValue } from '../../core/values.ts';
import { oneValue } from '../constant-column.ts';

export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly at: number; readonly message: string };

const MAX_CHARACTERS = 10_000;
const MAX_LIST = 1000;
const MAX_DEPTH = 200;
const MS_PER_DAY = 86_400_000;
const COMPARISONS: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const KNOWN =
  'known are && || ! ( ) == != < <= > >=, in [...], x.startsWith("..."), x.endsWith("..."), x.contains("..."), timestamp("..."), date("...") and null';

class Refused extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Reads an expression. Its columns are not looked at: see `compilePredicate`. */
export async function parseExpression(text: string): Promise<Parsed> {
  if (text.length > MAX_CHARACTERS)
    return { ok: false, at: 0, message: `longer than ${MAX_CHARACTERS} characters` };
  // Only jobs with a filter load it.
  const { parse, ParseError } = await import('@marcbachmann/cel-js');
  try {
    return { ok: true, expression: predicate(parse(text).ast, 0) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, at: error.at, message: error.message };
    if (!(error instanceof ParseError)) throw error;
    const [message = 'not an expression'] = error.message.split('\n');
    return { ok: false, at: error.range?.start ?? 0, message };
  }
}

function predicate(node: ASTNode, depth: number): Expression {
  const at = node.pos;
  if (depth > MAX_DEPTH) throw new Refused(at, `nested deeper than ${MAX_DEPTH}`);
  switch (node.op) {
    case '&&':
    case '||': {
      const [left, right] = node.args;
      return {
        kind: node.op === '&&' ? 'and' : 'or',
        left: predicate(left, depth + 1),
        right: predicate(right, depth + 1),
        at,
      };
    }
    case '!_':
      return { kind: 'not', operand: predicate(node.args, depth + 1), at };
    case 'value':
      if (typeof node.args === 'boolean') return { kind: 'boolean', value: node.args, at };
      throw new Refused(at, 'a condition is needed here, not a value');
    case 'id':
    case '.':
      return column(node);
    case 'in':
      return membership(node.args[0], node.args[1]);
    case 'rcall':
      return textTest(node);
    default:
      if (isComparison(node.op)) return comparison(node, node.op);
      throw new Refused(at, `'${node.op}' is not in this language; ${KNOWN}`);
  }
}

function isComparison(op: string): op is Comparison {
  return COMPARISONS.includes(op);
}

function comparison(node: ASTNode, operator: Comparison): Expression {
  const [left, right] = node.args as [ASTNode, ASTNode];
  const at = left.pos;
  if (isNull(left) || isNull(right)) {
    if (operator !== '==' && operator !== '!=')
      throw new Refused(at, 'null is neither smaller nor greater: write x == null or x != null');
    const operand = column(isNull(left) ? right : left);
    return { kind: 'null-test', operand, isNull: operator === '==', at };
  }
  if (isColumn(left)) return { kind: 'compare', operator, left: column(left), right: operandOf(right), at };
  if (isColumn(right))
    return { kind: 'compare', operator: MIRRORED[operator], left: column(right), right: constant(left), at };
  throw new Refused(at, 'a comparison needs a column on one side');
}

function membership(operand: ASTNode, list: ASTNode): Expression {
  if (list.op !== 'list') throw new Refused(list.pos, '`in` takes a list of values: x in ["a", "b"]');
  if (list.args.length > MAX_LIST) throw new Refused(list.pos, `a list has at most ${MAX_LIST} values`);
  return { kind: 'in', operand: column(operand), list: list.args.map(constant), at: operand.pos };
}

function textTest(node: ASTNode): Expression {
  const [test, receiver, given] = node.args as [string, ASTNode, ASTNode[]];
  if (test !== 'startsWith' && test !== 'endsWith' && test !== 'contains')
    throw new Refused(node.pos, `there is no function '${test}'; ${KNOWN}`);
  const [text] = given;
  if (given.length !== 1 || text?.op !== 'value' || typeof text.args !== 'string')
    throw new Refused(node.pos, `${test} takes one text in quotes`);
  return { kind: 'text-test', test, operand: column(receiver), text: text.args, at: receiver.pos };
}

function isNull(node: ASTNode): boolean {
  return node.op === 'value' && node.args === null;
}

function isColumn(node: ASTNode): boolean {
  return node.op === 'id' || node.op === '.' || isBracket(node);
}

/** `user["full name"]`, for names that are no words. */
function isBracket(node: ASTNode): boolean {
  return node.op === '[]';
}

function operandOf(node: ASTNode): ColumnOperand | ConstantOperand {
  return isColumn(node) ? column(node) : constant(node);
}

function column(node: ASTNode): ColumnOperand {
  const path: string[] = [];
  let at: ASTNode = node;
  for (; at.op !== 'id'; ) {
    if (at.op === '.') {
      const [of, name] = at.args;
      path.unshift(name);
      at = of;
    } else if (at.op === '[]' && at.args[1].op === 'value' && typeof at.args[1].args === 'string') {
      path.unshift(at.args[1].args);
      at = at.args[0];
    } else throw new Refused(node.pos, 'the name of a column is needed here');
  }
  path.unshift(at.args);
  // A column whose name is no word: row["full name"].
  if (at.args === 'row' && path.length > 1) path.shift();
  return { kind: 'column', path, at: at.pos };
}

function constant(node: ASTNode): ConstantOperand {
  const at = node.pos;
  if (node.op === '-_') {
    const { type, value } = constant(node.args);
    if (type === 'integer') {
      // Two signs in a row: what is read as an integer later has one at the most.
      const negated = String(value).startsWith('-') ? String(value).slice(1) : `-${value}`;
      return { kind: 'constant', type, value: negated, at };
    }
    if (type === 'float' && typeof value === 'number') return { kind: 'constant', type, value: -value, at };
  }
  if (node.op === 'call') return instant(node);
  if (node.op === 'value') {
    const value: unknown = node.args;
    if (typeof value === 'string') return { kind: 'constant', type: 'string', value, at };
    if (typeof value === 'boolean') return { kind: 'constant', type: 'boolean', value, at };
    if (typeof value === 'bigint') return { kind: 'constant', type: 'integer', value: String(value), at };
    if (typeof value === 'number') return { kind: 'constant', type: 'float', value, at };
  }
  throw new Refused(
    at,
    'a column, a text in quotes, a number, true, false, timestamp("...") or date("...") is needed here',
  );
}

function instant(node: ASTNode): ConstantOperand {
  const [name, given] = node.args as [string, ASTNode[]];
  const [text] = given;
  const at = node.pos;
  if (name !== 'timestamp' && name !== 'date')
    throw new Refused(at, `there is no function '${name}'; ${KNOWN}`);
  const pattern =
    name === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;
  const value = text?.op === 'value' && typeof text.args === 'string' && given.length === 1 ? text.args : '';
  // Not by Date.parse, which rolls February 30 over into March.
  const type: DataType = name === 'date' ? { kind: 'date' } : { kind: 'timestamp', unit: 'ms' };
  const column = pattern.test(value) ? oneValue(type, value) : null;
  const read = column === null ? null : readValue(column, 0);
  if (!(read instanceof Date))
    throw new Refused(
      at,
      name === 'date'
        ? 'date takes "yyyy-MM-dd", a day of the calendar'
        : 'timestamp takes "yyyy-MM-ddThh:mm:ss.SSSZ", in UTC, of a day of the calendar',
    );
  const ms = read.getTime();
  return { kind: 'constant', type: name, value: name === 'date' ? ms / MS_PER_DAY : ms, at };
}
