/**
 * The exactly-once oracle: holds a lake against the files it was made from, and proves or disproves the invariants
 * of the design:
 *
 *   I1  each input row is in exactly one visible part, in its own bucket, value for value
 *   I2  each visible part is complete and readable
 *   I3  a visible part never changes and never disappears (see VisibleParts)
 *   I4  no hidden file is left that nobody needs
 *
 * It shares no code with the product. Rows are told apart by a column of unique ids, which generated inputs carry.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type ColumnKinds, canonical, canonicalRow } from './oracle/column-kind.ts';
import type { CsvShape } from './oracle/csv-records.ts';
import { bucketOfPart, listLake } from './oracle/lake-files.ts';
import { type Row, readTable, tableFormat } from './oracle/table-file.ts';
import { formatViolations, type Violation } from './oracle/violation.ts';

export type { ColumnKind, ColumnKinds } from './oracle/column-kind.ts';
export { microsecondsOf } from './oracle/column-kind.ts';
export type { CsvShape } from './oracle/csv-records.ts';
export { listLake } from './oracle/lake-files.ts';
export { type Row, readTable } from './oracle/table-file.ts';
export { isFinishedLater, type Violation, type ViolationKind } from './oracle/violation.ts';
export { VisibleParts } from './oracle/visible-parts.ts';

export interface ExactlyOnceOptions {
  /** Files and folders of files; names that begin with `.` or `_` are skipped. */
  readonly inputs: readonly string[];
  /** The sink's base path. */
  readonly lake: string;
  /** Every column that a part may have. */
  readonly columns: ColumnKinds;
  /** The unique one; default `id`. */
  readonly id?: string;
  /** Folder below the lake where a row belongs, '' for the lake itself; left out: any. */
  readonly bucketOf?: (row: Row) => string;
  /** Rows that belong in no part, such as bad records under `skip`. */
  readonly isSkipped?: (row: Row) => boolean;
  /** Columns that the folder names stand for, and that the parts do not repeat. */
  readonly columnsInFolders?: readonly string[];
  /** Hidden files that may still be there, by path relative to the lake; default: none. */
  readonly allowHidden?: (file: string) => boolean;
  readonly inputCsv?: CsvShape;
  readonly partCsv?: CsvShape;
  /** `ids` leaves the values alone and reads one column only: for loops with many rounds. Default `values`. */
  readonly mode?: 'values' | 'ids';
}

export interface Verdict {
  readonly inputRows: number;
  readonly partRows: number;
  readonly parts: number;
  readonly violations: readonly Violation[];
}

interface Expected {
  readonly bucket: string | null;
  /** The row's values; null where only ids count. */
  readonly values: string | null;
  /** The part it was found in. */
  foundIn: string | null;
}

/** The marker that a job leaves in the lake's base folder, see lib/commit/lake-marker.ts. */
const LAKE_MARKER = /^\.sluice-[a-z0-9-]+\.json$/;

/** Holds the lake against its inputs. Never throws for what is wrong with the lake: that is the verdict. */
export async function judge(options: ExactlyOnceOptions): Promise<Verdict> {
  const expected = await readExpected(options);
  const violations: Violation[] = [];
  const { visible, hidden } = await listLake(options.lake);
  let parts = 0;
  let partRows = 0;
  for (const part of visible) {
    if (tableFormat(part) === null) {
      violations.push({ kind: 'stray visible file', what: part });
      continue;
    }
    parts++;
    const rows = await readPart(part, options, violations);
    partRows += rows.length;
    checkRows(part, rows, expected, options, violations);
  }
  for (const [id, row] of expected) {
    if (row.foundIn === null) violations.push({ kind: 'lost row', what: `id ${id} is in no visible part` });
  }
  for (const file of hidden) {
    if (LAKE_MARKER.test(file) || options.allowHidden?.(file) === true) continue;
    violations.push({ kind: 'stray hidden file', what: file });
  }
  return { inputRows: expected.size, partRows, parts, violations };
}

/** {@link judge}, as an assertion. @throws Error with a bounded report of everything that is wrong */
export async function expectExactlyOnce(options: ExactlyOnceOptions): Promise<Verdict> {
  const verdict = await judge(options);
  expectNone(
    verdict.violations,
    `${options.lake}: ${verdict.inputRows} rows in, ${verdict.partRows} in ${verdict.parts} parts`,
  );
  return verdict;
}

/** @throws Error with a bounded report, unless there is no violation */
export function expectNone(violations: readonly Violation[], about: string): void {
  if (violations.length > 0) throw new Error(`not exactly once: ${about}\n${formatViolations(violations)}`);
}

async function readExpected(options: ExactlyOnceOptions): Promise<Map<string, Expected>> {
  const columns = comparedColumns(options);
  const expected = new Map<string, Expected>();
  for (const file of await inputFiles(options.inputs)) {
    const shape = options.inputCsv === undefined ? {} : { csv: options.inputCsv };
    for (const row of await readTable(file, { ...shape, openEnd: true })) {
      if (options.isSkipped?.(row) === true) continue;
      const id = idOf(row, options);
      // Without unique ids nothing that follows could be proven.
      if (expected.has(id)) throw new Error(`${file}: the id ${id} stands twice in the input`);
      expected.set(id, {
        bucket: options.bucketOf?.(row) ?? null,
        values: options.mode === 'ids' ? null : canonicalRow(row, columns),
        foundIn: null,
      });
    }
  }
  return expected;
}

async function readPart(
  part: string,
  options: ExactlyOnceOptions,
  violations: Violation[],
): Promise<readonly Row[]> {
  try {
    return await readTable(path.join(options.lake, part), {
      ...(options.partCsv === undefined ? {} : { csv: options.partCsv }),
      ...(options.mode === 'ids' ? { columns: [options.id ?? 'id'] } : {}),
    });
  } catch (error) {
    violations.push({ kind: 'unreadable part', what: `${part}: ${messageOf(error)}` });
    return [];
  }
}

function checkRows(
  part: string,
  rows: readonly Row[],
  expected: Map<string, Expected>,
  options: ExactlyOnceOptions,
  violations: Violation[],
): void {
  const columns = comparedColumns(options);
  const bucket = bucketOfPart(part);
  const strangers = new Set<string>();
  for (const row of rows) {
    for (const name of Object.keys(row)) if (!Object.hasOwn(columns, name)) strangers.add(name);
    let id: string;
    let values: string | null;
    try {
      id = idOf(row, options);
      values = options.mode === 'ids' ? null : canonicalRow(row, columns);
    } catch (error) {
      violations.push({ kind: 'changed value', what: `${part}: ${messageOf(error)}` });
      continue;
    }
    const wanted = expected.get(id);
    if (wanted === undefined) {
      violations.push({ kind: 'unknown row', what: `${part}: id ${id} is in no input` });
      continue;
    }
    if (wanted.foundIn !== null) {
      violations.push({ kind: 'doubled row', what: `id ${id} is in ${wanted.foundIn} and in ${part}` });
      continue;
    }
    wanted.foundIn = part;
    if (wanted.bucket !== null && wanted.bucket !== bucket) {
      violations.push({ kind: 'wrong bucket', what: `${part}: id ${id} belongs in '${wanted.bucket}'` });
    }
    if (wanted.values !== values) {
      violations.push({ kind: 'changed value', what: `${part}: ${difference(wanted.values, values)}` });
    }
  }
  for (const name of strangers) violations.push({ kind: 'unexpected column', what: `${part}: ${name}` });
}

function comparedColumns({ columns, columnsInFolders = [] }: ExactlyOnceOptions): ColumnKinds {
  return Object.fromEntries(Object.entries(columns).filter(([name]) => !columnsInFolders.includes(name)));
}

function idOf(row: Row, { columns, id = 'id' }: ExactlyOnceOptions): string {
  const value = row[id];
  if (value === null || value === undefined) throw new Error(`a row has no ${id}`);
  return canonical(value, columns[id] ?? 'text');
}

function difference(wanted: string | null, found: string | null): string {
  const [a, b] = [wanted ?? '', found ?? ''];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 40);
  return `...${a.slice(from, at + 80)}... became ...${b.slice(from, at + 80)}... (${a.slice(0, 60)})`;
}

async function inputFiles(inputs: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const input of inputs) {
    if ((await stat(input)).isFile()) {
      files.push(input);
      continue;
    }
    for (const entry of await readdir(input, { withFileTypes: true, recursive: true })) {
      const below = path.relative(input, path.join(entry.parentPath, entry.name));
      if (entry.isFile() && !/(^|\/)[._]/.test(below)) files.push(path.join(input, below));
    }
  }
  return files;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
