/**
 * The tree of columns that a file says it has, in our types, and the levels at which each is present.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import { type FileMetaData, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet';
import { type DataType, type Field, MAX_TYPE_DEPTH } from '../../../lib/core/data-type.ts';
import { corrupt } from '../../corrupt.ts';
import { type StoredType, storedTypeOf, typeOfStored } from './stored-type.ts';

/** What every node says about the entries of the leaves below it (Dremel). */
interface NodeBase {
  readonly name: string;
  readonly nullable: boolean;
  readonly type: DataType;
  /** An entry with this definition level or more has a value here; with less, it is null. */
  readonly presentDefinition: number;
  /** An entry with less stands for an empty or null list above: there is no row here. */
  readonly slotDefinition: number;
  /** An entry with a repetition level above this goes on within a row. */
  readonly maxRepetition: number;
}

export interface LeafNode extends NodeBase {
  readonly kind: 'leaf';
  /** Which column chunk of a row group it is. */
  readonly index: number;
  readonly stored: StoredType;
  readonly physical: number;
  readonly typeLength: number;
}

export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly element: FileNode;
}

export interface StructNode extends NodeBase {
  readonly kind: 'struct';
  readonly children: readonly FileNode[];
}

export type FileNode = LeafNode | ListNode | StructNode;

const PHYSICAL_TYPES = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
];

/** The top-level columns. @throws SluiceError INPUT_CORRUPT for a column that cannot be read */
export function readFileSchema(metadata: FileMetaData): FileNode[] {
  const leaves = { count: 0 };
  return parquetSchema(metadata).children.map((child) => readNode(child, leaves, TOP));
}

export function fieldOf(node: FileNode): Field {
  return { name: node.name, type: node.type, nullable: node.nullable };
}

/** Where in the tree a node stands. */
interface Place {
  readonly definition: number;
  readonly repetition: number;
  readonly slotDefinition: number;
  readonly depth: number;
}

const TOP: Place = { definition: 0, repetition: 0, slotDefinition: 0, depth: 0 };

function readNode(tree: SchemaTree, leaves: { count: number }, place: Place): FileNode {
  const { element } = tree;
  if (element.repetition_type === 'REPEATED') {
    // A repeated field outside of a LIST is a list that is never null, of elements that never are.
    return listNode(element.name, false, place, (inside) => readContent(tree, leaves, inside, false));
  }
  const nullable = element.repetition_type === 'OPTIONAL';
  return readContent(tree, leaves, nullable ? deeper(place) : place, nullable);
}

function deeper(place: Place): Place {
  return { ...place, definition: place.definition + 1 };
}

/** @param place with the definition level at which the node is present */
function readContent(tree: SchemaTree, leaves: { count: number }, place: Place, nullable: boolean): FileNode {
  const { element, children } = tree;
  const { name } = element;
  if (place.depth > MAX_TYPE_DEPTH) corrupt(`columns are nested deeper than ${MAX_TYPE_DEPTH}`);
  if (children.length === 0) return leafNode(element, leaves, place, nullable);
  const repeated = children[0]!;
  if (children.length === 1 && repeated.element.repetition_type === 'REPEATED') {
    if (
      isAnnotated(element, 'LIST') ||
      isAnnotated(element, 'MAP') ||
      isAnnotated(element, 'MAP_KEY_VALUE')
    ) {
      return listNode(name, nullable, place, (inside) => readElement(element, repeated, leaves, inside));
    }
  }
  const inside = { ...place, depth: place.depth + 1 };
  const nodes = children.map((child) => readNode(child, leaves, inside));
  const fields = nodes.map(fieldOf);
  return {
    kind: 'struct',
    type: { kind: 'struct', fields },
    children: nodes,
    ...baseOf(name, nullable, place),
  };
}

/** The element of a list, by the rules that tell the three-level form from what older writers made. */
function readElement(
  list: SchemaElement,
  repeated: SchemaTree,
  leaves: { count: number },
  inside: Place,
): FileNode {
  const { name } = repeated.element;
  const only = repeated.children.length === 1 ? repeated.children[0]! : null;
  const isOldStruct = isAnnotated(list, 'LIST') && (name === 'array' || name === `${list.name}_tuple`);
  if (only === null || isOldStruct || !isAnnotated(list, 'LIST')) {
    return readContent(repeated, leaves, inside, false);
  }
  return readNode(only, leaves, inside);
}

function listNode(
  name: string,
  nullable: boolean,
  place: Place,
  readInside: (inside: Place) => FileNode,
): ListNode {
  const element = readInside({
    definition: place.definition + 1,
    repetition: place.repetition + 1,
    slotDefinition: place.definition + 1,
    depth: place.depth + 1,
  });
  const type: DataType = { kind: 'list', element: element.type };
  return { kind: 'list', type, element, ...baseOf(name, nullable, place) };
}

function leafNode(
  element: SchemaElement,
  leaves: { count: number },
  place: Place,
  nullable: boolean,
): LeafNode {
  const { name, type, type_length: typeLength = 0 } = element;
  const physical = PHYSICAL_TYPES.indexOf(type ?? '');
  if (physical < 0) corrupt(`the column '${name}' is a group without columns`);
  const stored = storedTypeOf(element);
  return {
    kind: 'leaf',
    index: leaves.count++,
    stored,
    type: typeOfStored(stored),
    physical,
    typeLength,
    ...baseOf(name, nullable, place),
  };
}

function baseOf(name: string, nullable: boolean, place: Place) {
  return {
    name,
    nullable,
    presentDefinition: place.definition,
    slotDefinition: place.slotDefinition,
    maxRepetition: place.repetition,
  };
}

function isAnnotated(element: SchemaElement, name: 'LIST' | 'MAP' | 'MAP_KEY_VALUE'): boolean {
  return element.converted_type === name || element.logical_type?.type === name;
}
