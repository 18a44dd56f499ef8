/** Files that other writers made (test/golden/inputs.py) are read by us, value for value, whole and in pieces. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { readInput } from '../support/read-input.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../golden');
const ROWS = JSON.parse(readFileSync(path.join(GOLDEN, 'rows.json'), 'utf8')) as Record<string, unknown>[];
const fileSystem = localFileSystem('test');

const FORMATS: Readonly<Record<string, InputFormatSpec>> = {
  parquet: { type: 'parquet', compression: 'none' },
};

for (const [format, spec] of Object.entries(FORMATS)) {
  describe(format, () => {
    for (const file of readdirSync(path.join(GOLDEN, format))) {
      it(file, async () => {
        const whole = await readInput(fileSystem, path.join(GOLDEN, format, file), spec);
        expect(whole.rows).toEqual(ROWS);
        const pieces = await readInput(fileSystem, path.join(GOLDEN, format, file), spec, {
          resume: true,
          batchRows: 37,
        });
        expect(pieces.rows).toEqual(whole.rows);
      });
    }
  });
}
