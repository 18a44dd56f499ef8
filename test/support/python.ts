/** pyarrow and fastavro as readers of what we write, where there is a Python that has them. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const SCRIPT = path.resolve(import.meta.dirname, 'read_tables.py');

/** The interpreter that SLUICE_PYTHON names; null where it names none, and such tests are left out. */
export const PYTHON = process.env.SLUICE_PYTHON ?? null;

/** Rows of each file, in the form of test/golden/rows.json. One process for all: it takes a second to start. */
export function readWithPython(files: readonly string[]): Record<string, unknown>[][] {
  if (PYTHON === null) throw new Error('SLUICE_PYTHON names no interpreter');
  const text = execFileSync(PYTHON, [SCRIPT, ...files], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
