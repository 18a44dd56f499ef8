/** What tests of the reader share: a file system with files, a split of one, and all the lines that come out. */

import { type Split, startPosition } from '../../../lib/source/split.ts';
import { SplitReader } from '../../../lib/source/split-reader.ts';
import type { SplitReaderOptions } from '../../../lib/source/split-reader-options.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { LINE_SCHEMA, lineFormat, linesOf } from './line-format.ts';

export function memory(): MemoryFileSystem {
  return new MemoryFileSystem(new ManualClock(1_700_000_000_000));
}

export function readerOf(
  fileSystem: MemoryFileSystem,
  options: Partial<SplitReaderOptions> = {},
): SplitReader {
  return new SplitReader({
    fileSystem,
    format: lineFormat(),
    compression: 'auto',
    schema: LINE_SCHEMA,
    batchRows: 100,
    keepLines: false,
    maxRecordBytes: 1 << 20,
    onBadRecord: 'fail',
    modified: 'ignore',
    chunkBytes: 4096,
    ...options,
  });
}

/** The split of a whole file, as it is now. */
export function splitOf(fileSystem: MemoryFileSystem, path: string, range: Partial<Split> = {}): Split {
  const file = fileSystem.files.get(path)!;
  const startByte = range.startByte ?? 0;
  return {
    id: '1.0',
    fileId: '1',
    path,
    sizeBytes: file.bytes.length,
    modifiedNs: String(file.modifiedNs),
    compression: null,
    startByte,
    endByte: null,
    position: startPosition(startByte),
    ...range,
  };
}

/** Reads a split to its end. null where it could not be opened. */
export async function readAll(reader: SplitReader, split: Split): Promise<string[] | null> {
  if (!(await reader.open(split))) return null;
  const lines: string[] = [];
  for (let batch = await reader.next(); batch !== null; batch = await reader.next())
    lines.push(...linesOf(batch));
  return lines;
}
