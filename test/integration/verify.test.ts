/** `sluice verify` on real folders: what is as it was made is proven, and whatever was done to it is found. */
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../lib/commit/checkpoint.ts';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import { readLedger } from '../../lib/commit/ledger/ledger.ts';
import { compactJob } from '../../lib/compaction/compact-job.ts';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { countingIds } from '../support/counting-ids.ts';
import { runInline, startInline } from '../support/inline-job.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import {
  ndjsonOutput,
  parquetOutput,
  rollingBySizeAndTime,
  schemaOf,
  type TestJobOptions,
  testJob,
} from '../support/job.ts';
import { until } from '../support/until.ts';
import { findingsOf, verifyLocal } from '../support/verify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-verify-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const FILES = 3;
const ROWS = 400;

/** Rows with a bucket, some of them with quotes and line ends in their text. */
async function writeInput(first = 0, files = FILES): Promise<void> {
  for (let file = first; file < first + files; file++) {
    const lines = Array.from({ length: ROWS }, (_, i) => {
      const id = file * ROWS + i;
      const note = id % 5 === 0 ? `a "quoted"\nnote, ${id}` : `note ${id}`;
      return `${JSON.stringify({ id, country: ['DE', 'FR', 'JP'][id % 3], note })}\n`;
    });
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), lines.join(''));
  }
}

const COLUMNS = schemaOf({ id: 'int64', country: 'string', note: 'string' });

function job(options: TestJobOptions = {}): CompiledJob {
  return testJob(folder, {
    parallelism: 2,
    ...options,
    source: { schema: COLUMNS, splitSizeBytes: 4096, ...options.source },
    sink: {
      format: parquetOutput,
      bucket: {
        type: 'fields',
        fields: [{ name: 'country', column: 'country', transform: 'value' }],
        keepFields: false,
      },
      ...options.sink,
    },
  });
}

async function lakeParts(): Promise<string[]> {
  const names = await readdir(path.join(folder, 'lake'), { recursive: true });
  return names
    .filter((name) => path.basename(name).startsWith('part-'))
    .sort()
    .map((name) => path.join(folder, 'lake', name));
}

describe('a lake that is as it was made', () => {
  const formats: OutputFormatSpec[] = [
    parquetOutput,
    ndjsonOutput,
    { type: 'ndjson', compression: 'gzip', dialect: 'standard' },
    { type: 'csv', compression: 'none', dialect: 'standard', delimiter: ',', header: true, nullText: '' },
    { type: 'csv', compression: 'zstd', dialect: 'hive', delimiter: ',', header: false, nullText: '' },
    { type: 'avro', compression: 'deflate', level: null },
    { type: 'arrow', compression: 'none' },
  ];
  for (const format of formats) {
    it(`${format.type}, ${format.compression}: each row is accounted for`, async () => {
      await writeInput();
      const made = job({ sink: { format } });
      await runInline(made);
      const report = await verifyLocal(made);
      expect(report.findings).toEqual([]);
      expect(report).toMatchObject({
        ok: true,
        since_checkpoint: 1,
        source: { files: FILES, gone: 0, records: FILES * ROWS, rows: FILES * ROWS, rejected: 0 },
        lake: { rows: FILES * ROWS, pending_parts: 0, open_rows: 0 },
      });
      const parts = await lakeParts();
      expect(report.lake.parts).toBe(parts.length);
    });
  }

  it('text: each line is', async () => {
    await writeFile(path.join(folder, 'in', 'a.txt'), 'one\ntwo\nthree\n');
    const made = testJob(folder, {
      source: {
        format: { type: 'text', column: 'line', compression: 'auto' },
        schema: {
          fields: [{ name: 'line', type: { kind: 'string' }, nullable: false }],
        },
      },
      sink: { format: { type: 'text', compression: 'none', column: null } },
    });
    await runInline(made);
    expect(await verifyLocal(made)).toMatchObject({ ok: true, lake: { rows: 3 } });
  });

  it('more runs, and files that went after they were committed', async () => {
    const made = job({ source: { afterCommit: { kind: 'delete' } } });
    await writeInput(0, 2);
    await runInline(made);
    await writeInput(2, 2);
    await runInline(made);
    expect(await readdir(path.join(folder, 'in'))).toEqual([]);
    expect(await verifyLocal(made)).toMatchObject({
      ok: true,
      source: { files: 4, gone: 4, records: 4 * ROWS },
      lake: { rows: 4 * ROWS },
    });
  });

  it('files that went are kept in sums, by the job and not by a replay, and still add up', async () => {
    const quarantine: NonNullable<CompiledJob['quarantine']> = {
      path: path.join(folder, 'quarantine'),
      format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
      rolling: rollingBySizeAndTime({}),
    };
    const made = job({ quarantine, source: { onBadRecord: 'quarantine', splitSizeBytes: 1 << 20 } });
    const runs = 24;
    for (let run = 0; run < runs; run++) {
      await writeInput(run, 1);
      await appendFile(path.join(folder, 'in', `${run}.ndjson`), '{"id":"none"}\n');
      await runInline(made);
      if (run % 3 > 0) await rm(path.join(folder, 'in', `${run}.ndjson`));
    }
    const entries = async () => {
      const store = new CheckpointStore(localFileSystem('00cc'), made.statePath);
      const { ledger } = (await store.load())!;
      return readLedger(ledger!, {
        fileSystem: localFileSystem('00cc'),
        segmentsFolder: store.segmentsFolder,
      });
    };
    const inputs = async () =>
      (await entries()).filter((each) => each.type === 'input' && each.lane === 'source');
    const before = await inputs();
    // The newest pieces are not written anew yet.
    expect(before.length).toBeLessThan(runs * 0.75);
    const totals = {
      ok: true,
      source: { files: runs, gone: runs - runs / 3, records: runs * (ROWS + 1), quarantined: runs },
    };
    expect(await verifyLocal(made)).toMatchObject({ ...totals, lake: { rows: runs * ROWS } });
    // A replay knows the files of the quarantine only; each makes its pieces of the ledger.
    for (let replay = 0; replay < 10; replay++)
      await replayJob(made, localFileSystem('00aa'), {
        startSubtask: (config, receive) =>
          inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
      });
    expect(await inputs()).toEqual(before);
    const report = await verifyLocal(made, { deep: true });
    expect(report).toMatchObject({
      ok: true,
      source: { files: runs, gone: runs - runs / 3 },
      deep: { why_not: `${runs - runs / 3} source files are not there as they were read` },
    });
    // A part that is gone is still found.
    const [lost] = await lakeParts();
    await rm(lost!);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_missing ${path.basename(lost!)}`]);
  });

  it('while the daemon runs, with parts open', async () => {
    const made = job({ checkpoint: { intervalMs: 20, retain: 2 }, sink: { format: ndjsonOutput } });
    const daemon = startInline(made);
    try {
      for (let file = 0; file < 6; file++) {
        await writeInput(file, 1);
        const before = daemon.events.length;
        await until('a checkpoint', () => daemon.events.length > before);
        expect(findingsOf(await verifyLocal(made))).toEqual([]);
      }
      await until('all is read', async () => {
        const { source, lake } = await verifyLocal(made);
        return source.rows === 6 * ROWS && lake.open_rows > 0;
      });
    } finally {
      await daemon.stop();
    }
    const report = await verifyLocal(made);
    expect(report).toMatchObject({ ok: true, source: { rows: 6 * ROWS } });
    expect(report.lake.open_rows + report.lake.rows).toBe(6 * ROWS);
  });

  it('after compaction, by the command and beside the job, and after both', async () => {
    const compaction = {
      daemon: false,
      targetBytes: 1 << 20,
      maxSmallParts: 2,
      quietMs: 0,
      bytesPerSecond: 1 << 30,
      keepReplacedMs: 0,
      sortBy: [],
    };
    const made = job({ parallelism: 1, sink: { compaction } });
    for (let file = 0; file < 3; file++) {
      await writeInput(file, 1);
      await runInline(made);
    }
    const before = await lakeParts();
    await compactJob(made, { clock: systemClock, ids: countingIds() });
    const after = await lakeParts();
    expect(after.length).toBeLessThan(before.length);
    expect(await verifyLocal(made)).toMatchObject({
      ok: true,
      lake: { rows: 3 * ROWS, parts: after.length },
    });
    // A part that was merged comes back: its rows are there twice.
    await copyFile(after[0]!, before[0]!);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_superseded ${path.basename(before[0]!)}`]);
  });

  it('parts that are about to be replaced count only while what replaces them is there', async () => {
    const compaction = {
      ...{ daemon: false, targetBytes: 1 << 20, maxSmallParts: 2, quietMs: 0 },
      ...{ bytesPerSecond: 1 << 30, keepReplacedMs: 0, sortBy: [] },
    };
    const made = job({ parallelism: 1, sink: { compaction } });
    for (let file = 0; file < 3; file++) {
      await writeInput(file, 1);
      await runInline(made);
    }
    setFailpointHook((name) => {
      if (name === 'compaction.swap.before') throw new Error('killed');
    });
    await expect(compactJob(made, { clock: systemClock, ids: countingIds() })).rejects.toThrow('killed');
    setFailpointHook(null);
    expect(findingsOf(await verifyLocal(made))).toEqual([]);
    const [source] = await lakeParts();
    await rm(source!);
    expect(findingsOf(await verifyLocal(made)), 'the merged part has its rows').toEqual([]);
    const lake = path.join(folder, 'lake');
    for (const { parentPath, name } of await readdir(lake, { recursive: true, withFileTypes: true }))
      if (name.includes('-c-')) await rm(path.join(parentPath, name));
    const lost = findingsOf(await verifyLocal(made)).filter((each) => each.startsWith('part_missing'));
    expect(lost).toEqual([`part_missing ${path.basename(source!)}`]);
  });

  it('appended files are taken in pieces that lie side by side', async () => {
    const made = job({ source: { modified: 'append' } });
    await writeInput(0, 1);
    await runInline(made);
    await appendFile(path.join(folder, 'in', '0.ndjson'), '{"id":9000,"country":"DE","note":"x"}\n{"id":90');
    expect(await verifyLocal(made)).toMatchObject({ ok: true, source: { to_be_read: 1 } });
    await runInline(made);
    expect(await verifyLocal(made)).toMatchObject({
      ok: true,
      source: { files: 1, rows: ROWS + 1, to_be_read: 0 },
    });
  });

  it('files that were read again as another version', async () => {
    const made = job({ source: { modified: 'reread' } });
    await writeInput(0, 1);
    await runInline(made);
    await appendFile(path.join(folder, 'in', '0.ndjson'), '{"id":9000,"country":"DE","note":"x"}\n');
    await runInline(made);
    expect(await verifyLocal(made)).toMatchObject({ ok: true, source: { files: 1, rows: 2 * ROWS + 1 } });
  });

  it('skipped, quarantined and replayed records', async () => {
    await writeInput(0, 2);
    const bad = Array.from({ length: 30 }, (_, i) => `{"id":"no ${i}","country":"DE"}\n`).join('');
    await writeFile(path.join(folder, 'in', 'bad.ndjson'), bad);
    const quarantine: NonNullable<CompiledJob['quarantine']> = {
      path: path.join(folder, 'quarantine'),
      format: { type: 'ndjson', compression: 'gzip', dialect: 'standard' },
      rolling: rollingBySizeAndTime({ maxRows: 10 }),
    };
    const made = job({ quarantine, source: { onBadRecord: 'quarantine' } });
    await runInline(made);
    expect(await verifyLocal(made)).toMatchObject({
      ok: true,
      source: { records: 2 * ROWS + 30, rows: 2 * ROWS, quarantined: 30 },
    });
    const wider = job({
      quarantine,
      source: {
        onBadRecord: 'quarantine',
        schema: schemaOf({ id: 'string', country: 'string', note: 'string' }),
      },
    });
    await replayJob(wider, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });
    const report = await verifyLocal(wider);
    expect(report.findings).toEqual([]);
    expect(report.lake.rows).toBe(2 * ROWS + 30);
    const [replayed] = await readdir(path.join(folder, 'quarantine', '_replayed'));
    await truncate(path.join(folder, 'quarantine', '_replayed', replayed!), 20);
    expect(findingsOf(await verifyLocal(wider))).toEqual([`part_truncated ${replayed}`]);
    // Their records are rows of the lake: whoever tidies up loses nothing.
    await rm(path.join(folder, 'quarantine', '_replayed'), { recursive: true });
    expect(findingsOf(await verifyLocal(wider))).toEqual([]);
  });

  it('state of before the ledger: says from where on it covers', async () => {
    await writeInput(0, 2);
    const made = job();
    await runInline(made);
    const before = await lakeParts();
    await forgetLedger();
    expect(await verifyLocal(made)).toMatchObject({
      ok: true,
      source: { files: 0 },
      lake: { parts: 0, older_parts: before.length },
    });
    await writeInput(2, 1);
    await runInline(made);
    const report = await verifyLocal(made);
    expect(report).toMatchObject({
      ok: true,
      source: { files: 1, rows: ROWS },
      lake: { rows: ROWS, older_parts: before.length },
    });
    expect(report.since_checkpoint).toBeGreaterThan(1);
    const [fresh] = (await lakeParts()).filter((part) => !before.includes(part));
    await rm(fresh!);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_missing ${path.basename(fresh!)}`]);
  });

  /** As a version without ledgers would have left it, in the middle of a file and with parts open. */
  it('state of before the ledger: a file half read, and open parts', async () => {
    await writeInput(0, 2);
    const made = job({
      checkpoint: { intervalMs: 1, retain: 1 },
      source: { limits: { filesPerCheckpoint: null, bytesPerCheckpoint: null, bytesPerSecond: 60_000 } },
      sink: { format: ndjsonOutput },
    });
    const daemon = startInline(made);
    await until('something is read', () => daemon.events.filter((e) => e.type === 'checkpoint').length > 8);
    await daemon.stop();
    const half = await verifyLocal(made);
    expect(half.ok).toBe(true);
    expect(half.lake.open_rows).toBeGreaterThan(0);
    await forgetLedger();
    await runInline(job({ sink: { format: ndjsonOutput } }));
    const report = await verifyLocal(made);
    expect(report.findings).toEqual([]);
    expect(report.source.rows).toBe(2 * ROWS - half.source.rows);
  });
});

async function forgetLedger(): Promise<void> {
  const checkpoints = path.join(folder, 'state', 'job', 'checkpoints');
  for (const name of await readdir(checkpoints)) {
    const file = path.join(checkpoints, name);
    const { ledger, ...older } = decodeCheckpoint(await readFile(file), name);
    const withoutTallies = JSON.stringify(older, (key, value) => (key === 'tally' ? undefined : value));
    await writeFile(file, encodeCheckpoint(JSON.parse(withoutTallies)));
  }
}

describe('what was done to a lake', () => {
  let made: CompiledJob;
  let parts: string[];
  beforeEach(async () => {
    await writeInput();
    made = job();
    await runInline(made);
    parts = await lakeParts();
    expect(parts.length).toBeGreaterThan(2);
  });

  const name = (index: number) => path.basename(parts[index]!);

  it('a part was deleted', async () => {
    await rm(parts[1]!);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_missing ${name(1)}`]);
  });

  it('a partition was dropped: accepted where a glob names it, and everything in it is gone', async () => {
    await writeInput(FILES, FILES);
    await runInline(made);
    const inFolder = (await lakeParts()).filter((part) => part.includes('/country=DE/'));
    const names = inFolder.map((part) => `part_missing ${path.basename(part)}`).sort();
    expect(names.length).toBeGreaterThan(1);
    const lake = path.join(folder, 'lake');
    const dropped = (globs: readonly string[]) => verifyLocal(made, { acceptMissing: globs, deep: true });

    // One part among others is a loss, whatever was meant: the newest, and then all but the newest.
    await rename(inFolder.at(-1)!, path.join(folder, 'kept'));
    expect(findingsOf(await dropped(['country=*']))).toEqual([names.at(-1)]);
    await rename(path.join(folder, 'kept'), inFolder.at(-1)!);

    await rename(path.join(lake, 'country=DE'), path.join(folder, 'kept'));
    expect(findingsOf(await verifyLocal(made))).toEqual(names);
    expect(findingsOf(await dropped(['country=F*', 'other/**', 'part-*']))).toEqual(names);
    const report = await dropped(['x', 'country=D*/']);
    expect(report).toMatchObject({
      ok: true,
      lake: { dropped_partitions: ['country=DE'], dropped_parts: names.length, dropped_rows: 2 * ROWS },
      deep: { compared: false, why_not: `${2 * ROWS} rows are in partitions that were dropped` },
    });
    expect(report.lake.rows).toBe(2 * FILES * ROWS - 2 * ROWS);

    // Rows that come later make the folder anew.
    await writeInput(2 * FILES, 1);
    await runInline(made);
    expect(await dropped(['country=DE'])).toMatchObject({ ok: true, lake: { dropped_parts: names.length } });
    expect(findingsOf(await verifyLocal(made))).toEqual(names);
  });

  it('parts that lie in the lake itself are in no partition', async () => {
    const flat = job({
      name: 'flat',
      statePath: path.join(folder, 'state', 'flat'),
      sink: { path: path.join(folder, 'flat'), bucket: { type: 'base_path' } },
    });
    await runInline(flat);
    for (const part of await readdir(path.join(folder, 'flat')))
      if (part.startsWith('part-')) await rm(path.join(folder, 'flat', part));
    const report = await verifyLocal(flat, { acceptMissing: ['**', '*', ''] });
    expect(report.findings.map(({ code }) => code)).toContain('part_missing');
    expect(report.lake.dropped_parts).toBe(0);
  });

  it('a part was copied under another name, in another folder', async () => {
    await copyFile(parts[1]!, path.join(path.dirname(parts[0]!), 'part-copy.parquet'));
    expect(findingsOf(await verifyLocal(made))).toEqual(['part_doubled part-copy.parquet']);
  });

  it('a part was moved to another folder', async () => {
    const folderOf = (part: string) => path.basename(path.dirname(part));
    const other = parts.find((part) => folderOf(part) !== folderOf(parts[0]!))!;
    await rename(parts[0]!, path.join(path.dirname(other), 'moved.parquet'));
    expect(findingsOf(await verifyLocal(made))).toEqual([
      `part_missing ${name(0)}`,
      'stranger moved.parquet',
    ]);
  });

  it('a part was cut', async () => {
    const { length } = await readFile(parts[0]!);
    await truncate(parts[0]!, length - 100);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_truncated ${name(0)}`]);
  });

  it('a part was replaced by another one of the same length, or by none', async () => {
    const bytes = await readFile(parts[0]!);
    await writeFile(parts[0]!, Buffer.alloc(bytes.length, 65));
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_damaged ${name(0)}`]);
  });

  it('a foreign file is there; hidden ones are nobody’s', async () => {
    await writeFile(path.join(folder, 'lake', 'notes.txt'), 'hello');
    await writeFile(path.join(folder, 'lake', '_notes.txt'), 'hello');
    await writeFile(path.join(folder, 'lake', '.notes.txt'), 'hello');
    expect(findingsOf(await verifyLocal(made))).toEqual(['stranger notes.txt']);
  });

  it('parts of another job in the same folder are told, and no finding', async () => {
    await runInline(
      testJob(folder, {
        ...made,
        name: 'other',
        statePath: path.join(folder, 'state', 'other'),
      }),
    );
    const report = await verifyLocal(made);
    expect(report.findings).toEqual([]);
    expect(report.lake.foreign_parts).toBeGreaterThan(0);
  });

  it('a source file was written to, replaced, deleted', async () => {
    await appendFile(path.join(folder, 'in', '0.ndjson'), '{"id":1}\n');
    const same = (await readFile(path.join(folder, 'in', '1.ndjson'), 'utf8')).replace('note', 'NOTE');
    await writeFile(path.join(folder, 'in', '1.ndjson'), same);
    await rm(path.join(folder, 'in', '2.ndjson'));
    const report = await verifyLocal(made);
    expect(findingsOf(report)).toEqual(['source_changed 0.ndjson', 'source_changed 1.ndjson']);
    expect(report.source).toMatchObject({ files: 3, gone: 1 });
  });

  it('a row part lost its last line, and one line more of the same length', async () => {
    const rows = job({
      name: 'rows',
      statePath: path.join(folder, 'state', 'rows'),
      sink: { format: ndjsonOutput, path: path.join(folder, 'rows') },
    });
    await runInline(rows);
    const [found] = (await readdir(path.join(folder, 'rows'), { recursive: true })).filter((each) =>
      path.basename(each).startsWith('part-'),
    );
    const part = path.join(folder, 'rows', found!);
    const text = await readFile(part, 'utf8');
    const end = text.lastIndexOf('\n', text.length - 2);
    await writeFile(part, `${text.slice(0, end)} ${text.slice(end + 1)}`);
    expect(findingsOf(await verifyLocal(rows))).toEqual([`part_changed ${path.basename(part)}`]);
  });
});
