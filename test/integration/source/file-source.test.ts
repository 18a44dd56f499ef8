/** The whole source over real folders, on real time. Nothing sleeps: tests wait for what they are about. */
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import type { SourceSpec } from '../../../lib/core/compiled-job.ts';
import type { ProcessingMode } from '../../../lib/core/specs.ts';
import type { RestoredEnumerator } from '../../../lib/source/enumerator-options.ts';
import { selectRoots } from '../../../lib/source/file-selector.ts';
import { FolderWatcher } from '../../../lib/source/folder-watcher.ts';
import type { Split } from '../../../lib/source/split.ts';
import { SplitEnumerator } from '../../../lib/source/split-enumerator.ts';
import { SplitReader } from '../../../lib/source/split-reader.ts';
import { Warnings } from '../../../lib/source/warnings.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { NO_LIMITS } from '../../support/job.ts';
import { LINE_SCHEMA, lineFormat, linesOf } from '../../unit/source/line-format.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-source-'));
});
afterEach(() => rm(folder, { recursive: true }));

const fileSystem = localFileSystem('test');

function specOf(change: Partial<SourceSpec> = {}): SourceSpec {
  return {
    paths: [folder],
    include: [],
    exclude: [],
    recursive: true,
    monitorIntervalMs: 5,
    watch: false,
    notifications: null,
    minAgeMs: 0,
    modified: 'ignore',
    onReplaced: 'read',
    rotation: 'rename',
    splitSizeBytes: 1 << 20,
    maxRecordBytes: 1 << 20,
    onBadRecord: 'fail',
    badRecordLimits: { maxRecords: null, maxRatio: null },
    drift: { newField: 'ignore', mismatch: 'bad_record' },
    format: { type: 'text', column: 'line', compression: 'auto' },
    schema: LINE_SCHEMA,
    afterCommit: { kind: 'keep' },
    limits: NO_LIMITS,
    lineage: [],
    ...change,
  };
}

/** One process: a source and some readers that read whatever is assigned until `enough` says so or nothing is left. */
async function run(
  spec: SourceSpec,
  mode: ProcessingMode,
  readers: number,
  onLines: (lines: readonly string[], source: SplitEnumerator) => Promise<boolean> | boolean,
  restored: RestoredEnumerator | null = null,
): Promise<{ lines: string[]; restart: RestoredEnumerator }> {
  const lines: string[] = [];
  const assigned: (readonly [number, Split])[] = [];
  const done = new Set<number>();
  let changed = () => {};
  let failure: unknown = null;
  const warnings = new Warnings(systemClock, (warning) => {
    failure ??= new Error(warning.message);
  });
  const roots = await selectRoots(spec, fileSystem, () => {});
  const source = new SplitEnumerator(
    {
      ...spec,
      fileSystem,
      clock: systemClock,
      roots,
      mode,
      warnings,
      splittable: true,
      compression: spec.format.compression,
    },
    {
      assignSplit: (subtask, split, ahead) => {
        for (const each of [split, ...ahead]) assigned.push([subtask, each]);
        changed();
      },
      signalNoMoreSplits: (subtask) => {
        done.add(subtask);
        changed();
      },
      quotaUsedUp: () => {},
      fail: (error) => {
        failure = error;
        changed();
      },
    },
    restored,
  );
  source.start();
  const watcher = spec.watch ? new FolderWatcher(() => void source.hint(null), warnings) : null;
  void watcher?.start(roots);
  const reader = new SplitReader({
    fileSystem,
    format: lineFormat(),
    compression: spec.format.compression,
    schema: LINE_SCHEMA,
    batchRows: 10,
    keepLines: false,
    maxRecordBytes: spec.maxRecordBytes,
    onBadRecord: 'fail',
    modified: spec.modified,
    chunkBytes: 512,
  });
  for (let subtask = 0; subtask < readers; subtask++) {
    source.addReader(subtask);
    source.handleSplitRequest(subtask);
  }
  let open: Split[] = [];
  reading: while (done.size < readers) {
    if (failure !== null) throw failure;
    const next = assigned.shift();
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
      continue;
    }
    const [subtask, split] = next;
    if (await reader.open(split)) {
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        lines.push(...linesOf(batch));
        if (await onLines(lines, source)) {
          open = [reader.split(), ...assigned.map(([, waiting]) => waiting)];
          await reader.close();
          break reading;
        }
      }
    }
    source.finishSplit({ split: reader.split(), kind: reader.outcome });
    if (!assigned.some(([waiting]) => waiting === subtask)) source.handleSplitRequest(subtask);
  }
  const restart = {
    state: source.snapshot(),
    discovery: [source.discoverySnapshot()],
    splits: open,
  };
  await watcher?.close();
  await source.close();
  return { lines, restart };
}

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

describe('a source over real folders', () => {
  it('H91, G79: bounded, text and gz files in nested folders beside junk: exactly the visible lines', async () => {
    await put('a.txt', 'a1\na2');
    await put('sub/b.txt', 'b1\r\nb2\n');
    await put('sub/sub/c', 'c\n');
    await put('new\nline/d\n.txt', 'd\n');
    await put('empty', '');
    await put('e.txt.gz', Buffer.concat([gzipSync('e1\n'), gzipSync('e2')]));
    await put('sub/no-extension', gzipSync('f1\nf2\n'));
    for (const junk of ['_x', '.x', '_dir/x', 'dir/.hid/x']) await put(junk, 'junk\n');
    const { lines } = await run(specOf(), 'once', 2, () => false);
    expect(lines.sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c', 'd', 'e1', 'e2', 'f1', 'f2']);
  });

  it('H92, H94: large files are read in ranges; after a failure half-way each line is there once', async () => {
    const expected: string[] = [];
    for (let file = 0; file < 4; file++) {
      const rows = Array.from({ length: 400 }, (_, row) => `${file}-${row}-${'x'.repeat((row * 7) % 50)}`);
      expected.push(...rows);
      await put(`${file}.txt`, rows.join(file % 2 === 0 ? '\n' : '\r\n'));
    }
    const spec = specOf({ splitSizeBytes: 3000 });
    const first = await run(spec, 'once', 2, (lines) => lines.length > 600);
    expect(first.lines.length).toBeLessThan(700);
    const second = await run(spec, 'once', 3, () => false, first.restart);
    expect([...first.lines, ...second.lines].sort()).toEqual(expected.sort());
    const third = await run(spec, 'once', 1, () => false, second.restart);
    expect(third.lines).toEqual([]);
  });

  it('H93, G82: files renamed in over time, a failover half-way, exactly once', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'sluice-outside-'));
    const expected: string[] = [];
    const arrive = async (file: number) => {
      const rows = Array.from({ length: 50 }, (_, row) => `${file}-${row}`);
      expected.push(...rows);
      await writeFile(join(outside, 'f'), rows.join('\n'));
      // All of one time: an equal mtime hides nothing.
      await utimes(join(outside, 'f'), 1000, 1000);
      await rename(join(outside, 'f'), join(folder, `${file}`));
    };
    await arrive(0);
    let arrived = 1;
    const until = (before: number, count: number) => async (lines: readonly string[]) => {
      const total = before + lines.length;
      // The next file comes when the last one was read to its end.
      if (total % 50 === 0 && arrived < 6) await arrive(arrived++);
      return total >= count;
    };
    const first = await run(specOf(), 'continuously', 2, until(0, 130));
    const second = await run(specOf(), 'continuously', 2, until(first.lines.length, 300), first.restart);
    expect([...first.lines, ...second.lines].sort()).toEqual(expected.sort());
    expect(expected).toHaveLength(300);
    await rm(outside, { recursive: true });
  });

  it('the watcher brings a listing that the interval alone would bring in an hour', async () => {
    await put('a', '1\n');
    const spec = specOf({ watch: true, monitorIntervalMs: 3_600_000 });
    let written = 0;
    const { lines } = await run(spec, 'continuously', 1, async (read, source) => {
      if (read.length === 1) {
        // Written again and again until seen: the watcher may not be ready yet.
        const writing = (async () => {
          while (source.counters.scans < 2) await put(`b${written++}`, '');
          await put('c', '2\n');
        })();
        await writing;
      }
      return read.length === 2;
    });
    expect(lines).toEqual(['1', '2']);
  });
});
