/** YAML text as plain values, with the place of each one. The raw stage of a job file: nothing is known of its keys. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { type Environment, substitute } from './environment.ts';
import { jobInvalid, type KeyPath, type Locate, type PlacedProblem, type Position } from './problems.ts';

export const MAX_FILE_BYTES = 1024 * 1024;
/** How often anchors may be used: ten aliases, each of ten of the next, are a billion values in 200 bytes. */
const MAX_ALIASES = 100;
/** Levels of nesting: everything that walks the values recurses. */
const MAX_DEPTH = 32;
const tooDeep = `nested deeper than ${MAX_DEPTH} levels`;
/** Characters that environment variables may bring in, altogether. */
const MAX_SUBSTITUTED = 1024 * 1024;

export interface YamlSource {
  readonly value: unknown;
  /** References to the environment that could not be filled in; the values hold them as they were written. */
  readonly problems: readonly PlacedProblem[];
  readonly locate: Locate;
}

/**
 * @param environment what `${NAME}` in values stands for; null where the file takes no references
 * @throws SluiceError JOB_INVALID for what is no YAML, or more than these bounds, with lines and columns
 */
export function parseYaml(bytes: Uint8Array, file: string, environment: Environment | null): YamlSource {
  const text = decodeText(bytes, file);
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Looked for in checkStructure: yaml's own check compares each key with each other one.
    uniqueKeys: false,
    stringKeys: true,
  });
  // A warning is a tag or directive that nobody here understands: not passed over in silence either.
  const syntax = [...document.errors, ...document.warnings];
  // yaml recurses over nested collections, and reports a stack that overflowed as one more error in the text.
  const overflow = syntax.find(({ message }) => message.startsWith('Maximum call stack'));
  if (overflow !== undefined) {
    throw jobInvalid(file, [{ path: '', message: tooDeep, ...place(overflow.pos[0]) }]);
  }
  if (syntax.length > 0) {
    throw jobInvalid(
      file,
      syntax.map(({ pos, code, message }) => ({
        path: '',
        message: code === 'MULTIPLE_DOCS' ? 'a second YAML document begins: a file holds one job' : message,
        ...place(pos[0]),
      })),
    );
  }
  const structure = checkStructure(document, place);
  if (structure.length > 0) throw jobInvalid(file, structure);
  const problems = environment === null ? [] : fillReferences(document, environment, place);
  return {
    value: document.toJS({ maxAliasCount: -1 }),
    problems,
    locate: (path, at) => place(offsetOf(document, path, at)),
  };
}

function decodeText(bytes: Uint8Array, file: string): string {
  const whole = { path: '', line: 1, column: 1 };
  if (bytes.length > MAX_FILE_BYTES) {
    throw jobInvalid(file, [
      { ...whole, message: `the file has ${bytes.length} bytes, ${MAX_FILE_BYTES} are the most` },
    ]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw jobInvalid(file, [{ ...whole, message: 'the file is not UTF-8 text' }]);
  }
}

/** Bounds and duplicate keys. What stands behind the first breach of a bound is not looked at. */
function checkStructure(document: Document.Parsed, place: (offset: number) => Position): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  const add = (range: readonly [number, ...number[]] | null | undefined, message: string) => {
    problems.push({ path: '', message, ...place(range?.[0] ?? 0) });
  };
  let aliases = 0;
  visit(document, (_, node, ancestors) => {
    if (isAlias(node) && ++aliases > MAX_ALIASES) {
      add(node.range, `more than ${MAX_ALIASES} aliases`);
      return visit.BREAK;
    }
    if (isAlias(node) && node.resolve(document) === undefined) {
      add(node.range, `there is no anchor &${node.source} before this alias`);
    }
    // An alias of what holds it, or of what holds aliases, multiplies: job files have no use for either.
    if (isAlias(node) && isCollection(node.resolve(document)) && ancestors.some((each) => isAnchored(each))) {
      add(node.range, `the alias *${node.source} stands inside of another anchor`);
    }
    if (isCollection(node) && ancestors.filter((each) => isCollection(each)).length >= MAX_DEPTH) {
      add(rangeOf(node), tooDeep);
      return visit.BREAK;
    }
    if (isMap(node)) {
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) add(key.range, `the key '${String(key.value)}' stands twice`);
        seen.add(key.value);
      }
    }
    return undefined;
  });
  return problems;
}

function isAnchored(node: unknown): boolean {
  return isCollection(node) && node.anchor !== undefined;
}

function rangeOf(node: unknown): readonly [number, ...number[]] | null | undefined {
  if (isPair(node)) return rangeOf(node.key);
  return isCollection(node) || isScalar(node) || isAlias(node) ? node.range : undefined;
}

function fillReferences(
  document: Document.Parsed,
  environment: Environment,
  place: (offset: number) => Position,
): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  let brought = 0;
  visit(document, {
    Scalar(key, node: Scalar) {
      if (key === 'key' || typeof node.value !== 'string') return undefined;
      const position = place(node.range?.[0] ?? 0);
      const { text, problems: found } = substitute(node.value, environment);
      for (const message of found) problems.push({ path: '', message, ...position });
      brought += Math.max(0, text.length - node.value.length);
      if (brought > MAX_SUBSTITUTED) {
        problems.push({
          path: '',
          message: 'environment variables bring in more than a million characters',
          ...position,
        });
        return visit.BREAK;
      }
      node.value = text;
      return undefined;
    },
  });
  return problems;
}

/** Where a value, or its key, begins. Of a value that is not there: where that which lacks it begins. */
function offsetOf(document: Document.Parsed, path: KeyPath, at: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = rangeOf(node)?.[0] ?? 0;
  for (const [i, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      const keyOffset = rangeOf(pair.key)?.[0] ?? offset;
      const last = i === path.length - 1;
      offset = last && at === 'key' ? keyOffset : (rangeOf(pair.value)?.[0] ?? keyOffset);
      // A section is named by its key: where its first value stands says less.
      if (isCollection(pair.value)) offset = keyOffset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = rangeOf(node)?.[0] ?? offset;
    } else break;
  }
  return offset;
}
