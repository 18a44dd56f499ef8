/**
 * Actions of a Delta log: one JSON object a line, as https://github.com/delta-io/delta/blob/master/PROTOCOL.md has them.
 * Fields that we do not know are dropped: tables whose protocol gives others a meaning are refused.
 */
import { SluiceError } from '../../core/errors.ts';

export interface Add {
  /** Relative to the table, URI encoded. */
  readonly path: string;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modificationTime: number;
  /** false: the rows were in the table before. */
  readonly dataChange: boolean;
  /** JSON in itself. */
  readonly stats?: string | null;
  readonly tags?: Readonly<Record<string, string>> | null;
}

export interface Remove {
  readonly path: string;
  readonly deletionTimestamp?: number | null;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean | null;
  readonly partitionValues?: Readonly<Record<string, string | null>> | null;
  readonly size?: number | null;
}

export interface MetaData {
  /** UUID. */
  readonly id: string;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly format: { readonly provider: string; readonly options?: Readonly<Record<string, string>> | null };
  /** JSON in itself: see schema.ts. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration?: Readonly<Record<string, string>> | null;
  readonly createdTime?: number | null;
}

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
}

export interface Transaction {
  readonly appId: string;
  readonly version: number;
  readonly lastUpdated?: number | null;
}

/** What tells a change from a repeated one, and who made it. */
export interface CommitInfo {
  readonly timestamp: number;
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string>>;
  readonly isBlindAppend: boolean;
  readonly engineInfo: string;
}

/** One of them each. */
export interface Action {
  readonly add?: Add | null;
  readonly remove?: Remove | null;
  readonly metaData?: MetaData | null;
  readonly protocol?: Protocol | null;
  readonly txn?: Transaction | null;
  readonly commitInfo?: CommitInfo | null;
}

export function encodeActions(actions: readonly Action[]): Uint8Array {
  return Buffer.from(actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
}

/** @throws SluiceError TABLE_UNSUITABLE where that is no log entry */
export function decodeActions(bytes: Uint8Array, path: string): Action[] {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n');
  try {
    // Written by us or by another writer of the format: `state.ts` looks at what it takes out of them.
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Action);
  } catch (cause) {
    throw new SluiceError('TABLE_UNSUITABLE', `the log entry ${path} is no JSON`, {
      cause,
      hint: 'a log entry is never changed once it is there: restore it',
    });
  }
}
