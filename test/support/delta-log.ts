/**
 * A strict reader of a Delta log, which shares no code with the product: entries without a gap, no file added that is in
 * the table, none removed that is not, promises of a writer that only grow, checkpoints that say what the entries say.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';

interface AddedFile {
  readonly path: string;
  readonly partitionValues: Record<string, string | null>;
  readonly size: number | bigint;
  readonly dataChange: boolean;
  readonly stats: string;
}

interface LogLine {
  readonly add?: AddedFile;
  readonly remove?: { readonly path: string; readonly dataChange: boolean };
  readonly txn?: { readonly appId: string; readonly version: number };
  readonly metaData?: { readonly schemaString: string; readonly partitionColumns: string[] };
  readonly protocol?: object;
  readonly commitInfo?: object;
}

export interface DeltaSnapshot {
  readonly version: number;
  /** Paths relative to the table, as they are on disk. */
  readonly files: ReadonlyMap<string, AddedFile>;
  /** As the statistics say. */
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: unknown }[];
  readonly partitionColumns: readonly string[];
  /** Versions that have a checkpoint. */
  readonly checkpoints: readonly number[];
  /** Rows that each version added, by `dataChange`. */
  readonly appended: readonly number[];
}

/** @throws Error for whatever is wrong with the log */
export async function readDeltaLog(table: string): Promise<DeltaSnapshot> {
  const folder = path.join(table, '_delta_log');
  const names = (await readdir(folder)).filter((name) => /^\d{20}\.json$/.test(name)).sort();
  const checkpoints = (await readdir(folder))
    .filter((name) => /^\d{20}\.checkpoint\.parquet$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
    .sort((a, b) => a - b);
  const files = new Map<string, AddedFile>();
  const promises = new Map<string, number>();
  const appended: number[] = [];
  let metaData: LogLine['metaData'] | null = null;
  for (const [version, name] of names.entries()) {
    const fail = (what: string): never => {
      throw new Error(`${name}: ${what}`);
    };
    if (Number(name.slice(0, 20)) !== version) fail(`expected version ${version}`);
    const lines = (await readFile(path.join(folder, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    if (version === 0 && !lines.some((line) => line.protocol)) fail('no protocol');
    let rowsIn = 0;
    let rowsMoved = 0;
    for (const { add, remove, txn, metaData: given } of lines) {
      if (given) metaData = given;
      if (txn) {
        if (txn.version <= (promises.get(txn.appId) ?? -1)) fail(`transaction ${txn.version} again`);
        promises.set(txn.appId, txn.version);
      }
      if (remove) {
        const file = decodeURIComponent(remove.path);
        const known = files.get(file);
        if (known === undefined) fail(`removes ${file}, which is not in the table`);
        else if (remove.dataChange) rowsIn -= rowsOf(known);
        else rowsMoved -= rowsOf(known);
        files.delete(file);
      }
      if (add) {
        const file = decodeURIComponent(add.path);
        if (files.has(file)) fail(`adds ${file} again`);
        files.set(file, add);
        if (add.dataChange) rowsIn += rowsOf(add);
        else rowsMoved += rowsOf(add);
      }
    }
    if (rowsMoved !== 0) fail(`${rowsMoved} rows more after merging than before`);
    appended.push(rowsIn);
    if (checkpoints.includes(version)) await compare(folder, version, files);
  }
  for (const [file, { size }] of files) {
    const { size: found } = await stat(path.join(table, file));
    if (found !== size) throw new Error(`${file} has ${found} bytes, and the log says ${size}`);
  }
  const schema = JSON.parse(metaData?.schemaString ?? '{"fields":[]}') as {
    fields: DeltaSnapshot['columns'];
  };
  return {
    version: names.length - 1,
    files,
    rows: [...files.values()].reduce((sum, file) => sum + rowsOf(file), 0),
    columns: schema.fields,
    partitionColumns: metaData?.partitionColumns ?? [],
    checkpoints,
    appended,
  };
}

function rowsOf({ stats }: AddedFile): number {
  return (JSON.parse(stats) as { numRecords: number }).numRecords;
}

async function compare(
  folder: string,
  version: number,
  files: ReadonlyMap<string, AddedFile>,
): Promise<void> {
  const bytes = await readFile(path.join(folder, `${String(version).padStart(20, '0')}.checkpoint.parquet`));
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  });
  const added = rows.flatMap((row) =>
    row.add === null || row.add === undefined ? [] : [row.add as AddedFile],
  );
  const form = ({ path: file, partitionValues, size, stats }: AddedFile) =>
    JSON.stringify([file, partitionValues, Number(size), stats]);
  const wanted = [...files.values()].map(form).sort();
  const found = added.map(form).sort();
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`checkpoint ${version} has ${found.length} files, and the entries say ${wanted.length}`);
}
