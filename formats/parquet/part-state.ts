/** What a checkpoint keeps of an open part: enough to write on after the bytes flushed so far. A stored shape. */
import type { Schema } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { schemaFingerprint } from '../../lib/core/schema-fingerprint.ts';

const VERSION = 1;

export interface PartState {
  /** Bytes flushed: where the next row group begins. 0 before the first. */
  readonly offset: number;
  /** Rows in the row groups flushed. */
  readonly rows: number;
  /** Metadata of each, as it will stand in the footer. */
  readonly rowGroups: readonly Uint8Array[];
}

export const NEW_PART: PartState = { offset: 0, rows: 0, rowGroups: [] };

/** As plain JSON. Some 150 bytes a column and row group. */
export function encodePartState(schema: Schema, state: PartState): unknown {
  return {
    version: VERSION,
    schema: schemaFingerprint(schema),
    offset: state.offset,
    rows: state.rows,
    rowGroups: state.rowGroups.map((bytes) => Buffer.from(bytes).toString('base64')),
  };
}

/**
 * @throws SluiceError STATE_VERSION for a version that this program does not know
 * @throws SluiceError STATE_CORRUPT where it is no part state, or one of another schema
 */
export function decodePartState(schema: Schema, stored: unknown): PartState {
  if (typeof stored !== 'object' || stored === null) return corrupt('it is not an object');
  const { version, schema: fingerprint, offset, rows, rowGroups } = stored as Record<string, unknown>;
  if (version !== VERSION) {
    throw new SluiceError(
      'STATE_VERSION',
      `an open Parquet part is of version ${version}, this program knows ${VERSION}`,
      {
        hint: 'run the version of sluice that wrote the checkpoint, or a newer one',
      },
    );
  }
  if (fingerprint !== schemaFingerprint(schema)) return corrupt('it belongs to another schema');
  if (!isCount(offset) || !isCount(rows) || !Array.isArray(rowGroups)) return corrupt('a field is missing');
  if (offset === 0 && rowGroups.length > 0) return corrupt('it has row groups and no bytes');
  const decoded = rowGroups.map((text: unknown) => {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
    // The least check that needs no Thrift reader: a struct ends with a zero byte.
    if (bytes.length === 0 || bytes.at(-1) !== 0) return corrupt('a row group is cut');
    return bytes;
  });
  return { offset, rows, rowGroups: decoded };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function corrupt(why: string): never {
  throw new SluiceError('STATE_CORRUPT', `the state of an open Parquet part cannot be read: ${why}`);
}
