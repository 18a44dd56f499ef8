/**
 * How the columns of a file become those of the schema: matched by name, at every level; what the file lacks is null.
 */
import { type Column, emptyColumn, ListColumn, StructColumn } from '../../../lib/core/column.ts';
import { type DataType, type Field, formatDataType, type Schema } from '../../../lib/core/data-type.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { appendNull } from '../../../lib/core/values.ts';
import type { LeafColumn } from '../../columns/leaf-column.ts';
import { converterOf } from './convert.ts';
import type { FileNode, LeafNode, ListNode, StructNode } from './file-schema.ts';
import { type LeafEntries, LeafReader } from './leaf-reader.ts';

/** Makes the column of the rows that the leaves read last. */
export type ColumnPlan =
  | { readonly kind: 'leaf'; readonly leaf: LeafReader }
  | { readonly kind: 'missing'; readonly type: DataType; cached: Column | null }
  | {
      readonly kind: 'list';
      readonly type: DataType;
      readonly node: ListNode;
      readonly element: ColumnPlan;
      readonly levels: LeafReader;
    }
  | {
      readonly kind: 'struct';
      readonly type: DataType;
      readonly fields: readonly Field[];
      readonly node: StructNode;
      readonly children: readonly ColumnPlan[];
      readonly levels: LeafReader;
    };

/** What is kept from file to file: the columns of strings with their dictionaries, by place in the schema. */
export type LeafColumns = Map<string, LeafColumn>;

export interface FilePlan {
  readonly columns: readonly ColumnPlan[];
  /** Every leaf that is read, once. */
  readonly leaves: readonly LeafReader[];
}

/** @throws SluiceError BAD_RECORD where a column of the file is of a type that does not become the schema's */
export function planColumns(
  schema: Schema,
  nodes: readonly FileNode[],
  path: string,
  kept: LeafColumns,
  capacity: number,
): FilePlan {
  const planner = new Planner(path, kept, capacity);
  const columns = schema.fields.map((field) => {
    const node = nodes.find(({ name }) => name === field.name);
    return planner.plan(field.type, node, field.name);
  });
  return { columns, leaves: planner.leaves };
}

class Planner {
  readonly leaves: LeafReader[] = [];
  readonly #path: string;
  readonly #kept: LeafColumns;
  readonly #capacity: number;

  constructor(path: string, kept: LeafColumns, capacity: number) {
    this.#path = path;
    this.#kept = kept;
    this.#capacity = capacity;
  }

  plan(type: DataType, node: FileNode | undefined, name: string): ColumnPlan {
    if (node === undefined) return { kind: 'missing', type, cached: null };
    if (node.kind === 'leaf') return { kind: 'leaf', leaf: this.#leaf(type, node, name) };
    if (node.kind === 'list' && type.kind === 'list') {
      const element = this.plan(type.element, node.element, `${name}[]`);
      return { kind: 'list', type, node, element, levels: leafOf(element) ?? this.#levelsOf(node) };
    }
    if (node.kind === 'struct' && type.kind === 'struct') {
      const children = type.fields.map((field) =>
        this.plan(
          field.type,
          node.children.find((child) => child.name === field.name),
          `${name}.${field.name}`,
        ),
      );
      const found = children.map(leafOf).find((leaf) => leaf !== null);
      return {
        kind: 'struct',
        type,
        fields: type.fields,
        node,
        children,
        levels: found ?? this.#levelsOf(node),
      };
    }
    return this.#refuse(type, node, name);
  }

  #leaf(type: DataType, node: LeafNode, name: string): LeafReader {
    const convert = converterOf(node.stored, type);
    if (convert === null) return this.#refuse(type, node, name);
    const key = `${name} ${formatDataType(type)}`;
    const leaf = new LeafReader(node, type, convert, this.#capacity, this.#kept.get(key));
    this.#kept.set(key, leaf.column);
    this.leaves.push(leaf);
    return leaf;
  }

  /** Of a group of which no column is wanted: any of its leaves tells where it is null or empty. */
  #levelsOf(node: FileNode): LeafReader {
    if (node.kind === 'leaf') return this.#leaf(node.type, node, `levels of ${node.index}`);
    return this.#levelsOf(node.kind === 'list' ? node.element : node.children[0]!);
  }

  #refuse(type: DataType, node: FileNode, name: string): never {
    throw new SluiceError(
      'BAD_RECORD',
      `${this.#path}: the column '${name}' is ${formatDataType(node.type)} in the file and ${formatDataType(type)} in the schema`,
      {
        hint: 'declare the type that the file has, or exclude the file',
        details: { path: this.#path, column: name },
      },
    );
  }
}

function leafOf(plan: ColumnPlan): LeafReader | null {
  if (plan.kind === 'leaf') return plan.leaf;
  return plan.kind === 'missing' ? null : plan.levels;
}

/** @param rows of the column: known at the top, and below a list by its offsets */
export function buildColumn(plan: ColumnPlan, rows: number): Column {
  switch (plan.kind) {
    case 'leaf':
      return plan.leaf.finish();
    case 'missing':
      plan.cached = nullColumn(plan.type, rows, plan.cached);
      return plan.cached;
    case 'list': {
      const column = new ListColumn(plan.type, rows, emptyColumn({ kind: 'boolean' }, 0));
      const elements = fillList(column, plan.node, plan.levels.entries);
      column.child = buildColumn(plan.element, elements);
      return column;
    }
    case 'struct': {
      const children = plan.children.map((child) => buildColumn(child, rows));
      const column = new StructColumn(plan.type, plan.fields, rows, children);
      fillStruct(column, plan.node, plan.levels.entries);
      return column;
    }
  }
}

/** Offsets and nulls. @returns how many elements there are */
function fillList(
  column: ListColumn,
  node: ListNode,
  { count, definition, repetition }: LeafEntries,
): number {
  const { maxRepetition, slotDefinition, presentDefinition } = node;
  let row = -1;
  let elements = 0;
  for (let e = 0; e < count; e++) {
    const repeated = repetition![e]!;
    const level = definition![e]!;
    if (level < slotDefinition) continue;
    if (repeated <= maxRepetition) {
      row++;
      if (level < presentDefinition) column.setNull(row);
    }
    if (repeated <= maxRepetition + 1 && level > presentDefinition) elements++;
    column.offsets[row + 1] = elements;
  }
  column.length = row + 1;
  return elements;
}

function fillStruct(
  column: StructColumn,
  node: StructNode,
  { count, definition, repetition }: LeafEntries,
): void {
  const { maxRepetition, slotDefinition, presentDefinition } = node;
  if (definition === null) {
    column.length = count;
    return;
  }
  let row = 0;
  for (let e = 0; e < count; e++) {
    const level = definition[e]!;
    if (level < slotDefinition || (repetition !== null && repetition[e]! > maxRepetition)) continue;
    if (level < presentDefinition) column.setNull(row);
    row++;
  }
  column.length = row;
}

function nullColumn(type: DataType, rows: number, cached: Column | null): Column {
  if (cached !== null && cached.length === rows) return cached;
  const column = emptyColumn(type, rows);
  for (let row = 0; row < rows; row++) appendNull(column);
  return column;
}
