/**
 * Measures discovery alone, in a process of its own: a first scan that takes every file, a scan in which nothing is new,
 * and one with ten new files. Prints one JSON document. Arguments: folder, path of a folder for the ten.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../lib/core/clock.ts';
import { selectRoots } from '../../lib/source/file-selector.ts';
import { SplitEnumerator } from '../../lib/source/split-enumerator.ts';
import { Warnings } from '../../lib/source/warnings.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';

const NEW_FILES = 10;
const [folder, fresh] = process.argv.slice(2);
if (folder === undefined || fresh === undefined)
  throw new Error('usage: discovery-process <folder> <folder for new files>');

const fileSystem = localFileSystem('bench');
const roots = await selectRoots(
  { paths: [folder], include: [], exclude: [], recursive: true },
  fileSystem,
  () => {},
);
let taken = 0;
let firstTakenAt = 0;
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const enumerator = new SplitEnumerator(
  {
    fileSystem,
    clock: systemClock,
    roots,
    mode: 'continuously',
    monitorIntervalMs: 1,
    minAgeMs: 0,
    modified: 'ignore',
    onReplaced: 'read',
    rotation: 'rename',
    limits: { filesPerCheckpoint: null, bytesPerCheckpoint: null, bytesPerSecond: null },
    warnings: new Warnings(systemClock, () => {}),
    splittable: true,
    compression: 'none',
    splitSizeBytes: 64 * 1024 * 1024,
    maxRecordBytes: 32 * 1024 * 1024,
  },
  {
    // A subtask that needs no time for a file.
    assignSplit: (subtask, first, ahead) => {
      const splits = [first, ...ahead];
      if (taken === 0) firstTakenAt = performance.now();
      taken += splits.length;
      queueMicrotask(() => {
        for (const split of splits) enumerator.finishSplit({ split, kind: 'read' });
        enumerator.handleSplitRequest(subtask);
      });
    },
    signalNoMoreSplits: () => {},
    quotaUsedUp: () => {},
    fail: (error) => {
      throw error;
    },
  },
  null,
);

async function scanned(scans: number): Promise<void> {
  while (enumerator.counters.scans < scans || enumerator.counters.waiting > 0) await setTimeout(5);
}

/** What the next checkpoint would hold of discovery. */
function checkpointBytes(): number {
  return enumerator.takeDiscoveryDelta().length + JSON.stringify(enumerator.snapshot()).length;
}

enumerator.addReader(0);
enumerator.handleSplitRequest(0);
enumerator.start();
await scanned(1);
const firstMs = performance.now() - startedAt;
const firstCpu = process.cpuUsage(startedCpu);
const first = {
  files: taken,
  ms: firstMs,
  cpuMs: (firstCpu.user + firstCpu.system) / 1000,
  firstFileMs: firstTakenAt - startedAt,
  checkpointBytes: checkpointBytes(),
};
// The scan under way may have begun before: a whole one is measured.
await scanned(enumerator.counters.scans + 1);
const cpuBefore = process.cpuUsage();
const before = enumerator.counters.scans;
const idleAt = performance.now();
await scanned(before + 1);
const cpu = process.cpuUsage(cpuBefore);
const idle = {
  ms: performance.now() - idleAt,
  cpuMs: (cpu.user + cpu.system) / 1000,
  checkpointBytes: checkpointBytes(),
};
mkdirSync(fresh, { recursive: true });
for (let file = 0; file < NEW_FILES; file++) writeFileSync(path.join(fresh, `${file}`), '{}\n');
await scanned(enumerator.counters.scans + 2);
const grown = { files: taken - first.files, checkpointBytes: checkpointBytes() };
await enumerator.close();
console.log(JSON.stringify({ first, idle, grown, rssMb: process.resourceUsage().maxRSS / 1024 }));
