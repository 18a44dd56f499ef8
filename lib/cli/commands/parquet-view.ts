/** A Parquet part as an operator wants to see it. */
import { describeParquet, type ParquetDescription } from '../../../formats/parquet/describe.ts';
import { SluiceError } from '../../core/errors.ts';
import { readRange } from '../../source/read-range.ts';
import type { FileStatus, FileSystem } from '../../storage/file-system.ts';
import { counted, humanBytes, humanCount } from '../human.ts';
import { printableLine } from '../printable.ts';
import type { Style } from '../style.ts';
import { renderTable } from '../table.ts';

/** Length of the metadata, then PAR1: what every Parquet file ends with. */
const TRAILER_BYTES = 8;
/** Metadata of a file that sluice wrote is some KB a row group. */
const MAX_METADATA_BYTES = 256 * 1024 * 1024;
/** What of a large file is shown. */
const MAX_GROUPS = 5;
const MAX_TEXT = 24;

/** Reads the metadata at a file's end, and nothing else. @throws SluiceError INPUT_CORRUPT */
export async function readParquet(fileSystem: FileSystem, file: FileStatus): Promise<ParquetDescription> {
  const { path, sizeBytes } = file;
  const trailer = await readRange(fileSystem, path, Math.max(0, sizeBytes - TRAILER_BYTES), TRAILER_BYTES);
  const length =
    trailer.length < TRAILER_BYTES ? 0 : new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
  const bytes = length + TRAILER_BYTES;
  if (bytes > sizeBytes || length > MAX_METADATA_BYTES) {
    throw new SluiceError('INPUT_CORRUPT', `${path} has no readable Parquet metadata at its end`, {
      hint: 'a part that is still written has none; otherwise it is cut or not Parquet',
    });
  }
  return describeParquet(await readRange(fileSystem, path, sizeBytes - bytes, bytes));
}

export function renderParquet(path: string, found: ParquetDescription, style: Style): string {
  const { rows, columns, rowGroups, createdBy } = found;
  const bytes = rowGroups.reduce((sum, group) => sum + group.compressedBytes, 0);
  const types = new Map(columns.map((column) => [column.path, column]));
  const parts = [
    `${style.bold(printableLine(path))}: ${counted(rows, 'row')} in ${counted(rowGroups.length, 'row group')}, ${humanBytes(bytes)} of pages${createdBy === null ? '' : style.dim(` (${createdBy})`)}`,
  ];
  for (const [index, group] of rowGroups.entries()) {
    if (rowGroups.length > 1) parts.push(`row group ${index}: ${counted(group.rows, 'row')}`);
    parts.push(
      renderTable(
        [
          { title: 'column' },
          { title: 'type' },
          { title: 'codec' },
          { title: 'dictionary' },
          { title: 'nulls', align: 'right' },
          { title: 'bytes', align: 'right' },
          { title: 'min' },
          { title: 'max' },
        ],
        group.columns.map((column) => [
          column.path,
          `${types.get(column.path)?.type ?? ''}${types.get(column.path)?.nullable === false ? ' not null' : ''}`,
          column.codec,
          column.hasDictionary ? 'yes' : 'no',
          column.nulls === null ? '?' : humanCount(column.nulls),
          humanBytes(column.compressedBytes),
          shortened(column.min),
          shortened(column.max),
        ]),
      ),
    );
    if (index + 1 === MAX_GROUPS && rowGroups.length > MAX_GROUPS) {
      parts.push(`... and ${rowGroups.length - MAX_GROUPS} row groups more`);
      break;
    }
  }
  return parts.join('\n');
}

function shortened(value: string | null): string {
  if (value === null) return '';
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}
