/** `sluice inspect`: what is in a file that sluice wrote. */
import { inspectCheckpoint, isCheckpoint } from '../../commit/status.ts';
import { s3FromEnvironment } from '../../config/compile-s3.ts';
import { SluiceError } from '../../core/errors.ts';
import { resolveLocation } from '../../core/location.ts';
import type { CommandContext } from '../commands.ts';
import { counted, humanBytes } from '../human.ts';
import { printable, printableLine } from '../printable.ts';
import { readHead } from '../read-head.ts';
import { renderCheckpoint } from './checkpoint-view.ts';

/** A checkpoint of a large job is some MB, a part some hundred. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
const HEAD_BYTES = 64 * 1024;
const MAX_LINES = 10;

export async function inspect(given: string, { io, output }: CommandContext): Promise<void> {
  const file = resolveLocation(io.workingFolder, given);
  const fileSystem = await io.openFileSystem(s3FromEnvironment(io.environment));
  const status = await fileSystem.stat(file);
  if (status === null) {
    throw new SluiceError('NOT_FOUND', `${file} does not exist`, { hint: 'check the path' });
  }
  if (status.isFolder) {
    throw new SluiceError('USAGE', `${file} is a folder`, {
      hint: 'name a checkpoint or a part; `sluice status <job.yaml>` shows the state of a job',
    });
  }
  const { head, compression } = await readHead(fileSystem, status, HEAD_BYTES);
  if (isCheckpoint(head)) {
    const checkpoint = inspectCheckpoint(await readWhole(), file, io.clock);
    if (output.json) output.document({ file, kind: 'checkpoint', ...checkpoint });
    else output.answer(renderCheckpoint(checkpoint, output.style));
    return;
  }
  if (isParquet(head)) {
    const { readParquet, renderParquet } = await import('./parquet-view.ts');
    const parquet = await readParquet(fileSystem, status);
    if (output.json) output.document({ file, kind: 'parquet', bytes: status.sizeBytes, ...parquet });
    else output.answer(renderParquet(file, parquet, output.style));
    return;
  }
  const lines = textLines(head);
  if (lines === null) {
    throw new SluiceError('USAGE', `${file} is neither a checkpoint nor a part that sluice can show`, {
      hint: 'sluice shows checkpoints, Parquet files, and text (NDJSON, CSV) as it is or compressed; for Avro and Arrow, ask DuckDB or pyarrow',
    });
  }
  if (output.json) {
    output.document({ file, kind: 'text', bytes: status.sizeBytes, compression, lines });
    return;
  }
  output.note(
    `${printableLine(file)}: ${humanBytes(status.sizeBytes)}, compression ${compression}; the first ${counted(lines.length, 'line')}:`,
  );
  output.answer(lines.map(printable).join('\n'));

  async function readWhole(): Promise<Uint8Array> {
    if (status !== null && status.sizeBytes > MAX_FILE_BYTES) {
      throw new SluiceError('USAGE', `${file} has ${status.sizeBytes} bytes: too large to be inspected`);
    }
    return (await fileSystem.readFile(file)) ?? new Uint8Array(0);
  }
}

/** Whether a file begins as Parquet does; the view of one is loaded for one. */
function isParquet(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1';
}

/** The first whole lines of a text; null where it is none. */
function textLines(head: Uint8Array): string[] | null {
  if (head.includes(0)) return null;
  const lines = new TextDecoder().decode(head).split(/\r?\n/);
  // The last one ends where the head does.
  if (lines.length > 1) lines.pop();
  return lines.slice(0, MAX_LINES);
}
