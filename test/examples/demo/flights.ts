/** Input for the demo: real flights of 2001 out of npm's vega-datasets, as the NDJSON files that a service would drop. */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const SOURCE = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')));
const FILES = 10;
const ROWS_PER_FILE = 100_000;

/** Writes the files unless they are there, and says how much they hold. */
export async function dropFlights(
  folder: string,
): Promise<{ files: number; rows: number; sizeBytes: number }> {
  let parquet: ArrayBuffer | null = null;
  let sizeBytes = 0;
  for (let at = 0; at < FILES; at++) {
    const file = path.join(folder, `batch-${String(at + 1).padStart(2, '0')}.ndjson`);
    const known = await stat(file).catch(() => null);
    if (known !== null) {
      sizeBytes += known.size;
      continue;
    }
    parquet ??= new Uint8Array(await readFile(SOURCE)).buffer;
    const text = await flightLines(parquet, at * ROWS_PER_FILE);
    await mkdir(folder, { recursive: true });
    // Under another name first, as every writer should: nobody sees half a file.
    await writeFile(`${file}.writing`, text);
    await rename(`${file}.writing`, file);
    sizeBytes += text.length;
  }
  return { files: FILES, rows: FILES * ROWS_PER_FILE, sizeBytes };
}

async function flightLines(file: ArrayBuffer, rowStart: number): Promise<string> {
  const rows = await parquetReadObjects({ file, compressors, rowStart, rowEnd: rowStart + ROWS_PER_FILE });
  let text = '';
  for (const { date, delay, distance, origin, destination } of rows) {
    const flight = { date, origin, destination, delay: Number(delay), distance: Number(distance) };
    text += `${JSON.stringify(flight)}\n`;
  }
  return text;
}
