/** Files read under `on_bad_record: quarantine`, as a subtask reads them. */
import { createInputFormat } from '../../../formats/index.ts';
import type { BadRecordPolicy, InputFormatSpec, SchemaDriftSpec } from '../../../lib/core/specs.ts';
import { type Split, startPosition } from '../../../lib/source/split.ts';
import { SplitReader } from '../../../lib/source/split-reader.ts';
import { schemaOf } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

export const NDJSON: InputFormatSpec = { type: 'ndjson', compression: 'auto' };

export interface QuarantiningOptions {
  readonly batchRows?: number;
  readonly drift?: SchemaDriftSpec;
  readonly onBadRecord?: BadRecordPolicy;
  readonly onBatch?: () => void;
  /** What the file holds once it was opened: somebody is writing it. */
  readonly becomes?: Uint8Array;
  /** Reads on with a new reader behind each batch, as a restart does. */
  readonly resume?: boolean;
}

/** Reads all of a file with the column `id`. */
export async function readQuarantining(
  name: string,
  bytes: Uint8Array,
  spec: InputFormatSpec = NDJSON,
  {
    batchRows = 100,
    drift,
    resume = false,
    onBadRecord = 'quarantine',
    becomes,
    onBatch,
  }: QuarantiningOptions = {},
) {
  const fileSystem = new MemoryFileSystem(new ManualClock(0));
  fileSystem.put(`/in/${name}`, bytes);
  const status = await fileSystem.stat(`/in/${name}`);
  const format = await createInputFormat(spec);
  const open = () =>
    new SplitReader({
      fileSystem,
      format,
      compression: 'auto',
      schema: schemaOf({ id: 'int64' }),
      batchRows,
      keepLines: false,
      maxRecordBytes: 10_000,
      onBadRecord,
      modified: 'ignore',
      chunkBytes: 4096,
      ...(drift === undefined ? {} : { drift }),
    });
  let reader = open();
  const kept = [];
  let rows = 0;
  let returned = 0;
  const split: Split = {
    id: '1.0',
    fileId: '1',
    path: `/in/${name}`,
    sizeBytes: bytes.length,
    modifiedNs: String(status!.modifiedNs),
    compression: null,
    startByte: 0,
    endByte: null,
    position: startPosition(0),
  };
  let going = await reader.open(split);
  kept.push(...(await reader.takeQuarantined()));
  if (becomes !== undefined) fileSystem.put(`/in/${name}`, becomes);
  while (going) {
    const batch = await reader.next();
    onBatch?.();
    returned++;
    kept.push(...(await reader.takeQuarantined()));
    rows += batch?.length ?? 0;
    going = batch !== null;
    if (!going || !resume) continue;
    const reached = reader.split();
    await reader.close();
    reader = open();
    going = await reader.open(reached);
    kept.push(...(await reader.takeQuarantined()));
  }
  return { rows, kept, returned, counts: reader.takeCounts(), outcome: reader.outcome };
}
