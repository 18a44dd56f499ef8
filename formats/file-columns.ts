/** Whether a file that names its columns is one of the job's: before anything is read of it. */
import type { Schema } from '../lib/core/data-type.ts';
import { SluiceError } from '../lib/core/errors.ts';

/** Of a wide file, for a message. */
const MAX_NAMED = 20;

/**
 * @param subject what a message calls the file
 * @param names of the file's columns
 * @param keepsOthers whether columns that the schema does not have are kept
 * @throws SluiceError BAD_RECORD where a column is absent that may not be null; where the file has not a single one of the
 *   schema's columns (another delimiter, no header, another kind of file): all its rows would be null, and its data lost
 */
export function proveColumns(
  subject: string,
  names: readonly string[],
  { fields }: Schema,
  keepsOthers = false,
): void {
  const present = new Set(names);
  const needed = fields.find(({ name, nullable }) => !nullable && !present.has(name));
  if (needed !== undefined) {
    throw new SluiceError('BAD_RECORD', `${subject} has no column '${needed.name}', and it may not be null`, {
      hint: `declare the column nullable, or exclude the file. Its columns are ${listed(names)}`,
      details: { column: needed.name },
    });
  }
  // The header of an empty file is one without a name.
  if (keepsOthers || names.every((name) => name === '') || fields.length === 0) return;
  if (fields.some(({ name }) => present.has(name))) return;
  throw new SluiceError('BAD_RECORD', `${subject} has none of the schema's columns`, {
    hint: `its columns are ${listed(names)}: correct the schema (of CSV, also delimiter and header), or exclude the file`,
    details: { columns: names.slice(0, MAX_NAMED) },
  });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => JSON.stringify(name));
  return shown.join(', ') + (names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '');
}
