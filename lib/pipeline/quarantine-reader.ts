/** Quarantine parts, read back. */
import { decompressed } from '../../formats/compression/decompress.ts';
import { detectCompression } from '../../formats/compression/detect.ts';
import { readParquetRows } from '../../formats/parquet/read-rows.ts';
import type { DecoderState } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import { QUARANTINE_PREFIX } from '../sink/quarantine-schema.ts';
import type { FileSystem } from '../storage/file-system.ts';

/** A row of the quarantine: see QUARANTINE_SCHEMA. */
export interface QuarantineRow {
  readonly reason: string;
  readonly file: string;
  readonly offset: number;
  readonly line: number | null;
  readonly record: Uint8Array;
  readonly complete: boolean;
  readonly state: DecoderState;
}

const PART = new RegExp(
  `^${QUARANTINE_PREFIX}-[0-9a-f]{8}-\\d+-\\d+\\.(parquet|ndjson|ndjson\\.gz|ndjson\\.zst)$`,
);

export function isQuarantinePart(name: string): boolean {
  return PART.test(name);
}

/** @throws SluiceError INPUT_CORRUPT, NOT_FOUND */
export async function readQuarantinePart(path: string, fileSystem: FileSystem): Promise<QuarantineRow[]> {
  if (path.endsWith('.parquet')) {
    const bytes = await fileSystem.readFile(path);
    if (bytes === null) throw new SluiceError('NOT_FOUND', `${path} is gone`);
    return (await readParquetRows(bytes)).map((row) => rowOf(row, path));
  }
  return (await readText(path, fileSystem))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => rowOf(parse(line, path), path));
}

function rowOf(row: Readonly<Record<string, unknown>>, path: string): QuarantineRow {
  const { reason, file, offset, line, record, complete, state } = row;
  const bytes = typeof record === 'string' ? Buffer.from(record, 'base64') : record;
  if (!(bytes instanceof Uint8Array) || typeof file !== 'string' || typeof complete !== 'boolean')
    throw corrupt(path);
  return {
    reason: String(reason),
    file,
    offset: Number(offset),
    line: line === null || line === undefined ? null : Number(line),
    record: bytes,
    complete,
    state: stateOf(state, path),
  };
}

/** A json column: text in Parquet, the value itself in NDJSON. */
function stateOf(state: unknown, path: string): DecoderState {
  const value = typeof state === 'string' ? parse(state, path) : state;
  return (value ?? null) as DecoderState;
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw corrupt(path);
  }
}

function corrupt(path: string): SluiceError {
  return new SluiceError('INPUT_CORRUPT', `${path} is not a whole quarantine part`, {
    hint: 'restore it from a backup, or move it away to go on without it',
  });
}

async function readText(path: string, fileSystem: FileSystem): Promise<string> {
  const head = await fileSystem.open(path, 0);
  const magic = new Uint8Array(8);
  const length = await head.read(magic).finally(() => head.close());
  const compression = detectCompression(magic.subarray(0, length));
  const stored = await fileSystem.open(path, 0);
  const source = compression === 'none' ? stored : decompressed(stored, compression, path);
  const pieces: Uint8Array[] = [];
  try {
    for (;;) {
      const piece = new Uint8Array(256 * 1024);
      const read = await source.read(piece);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
    }
  } finally {
    await source.close();
  }
  return Buffer.concat(pieces).toString();
}
