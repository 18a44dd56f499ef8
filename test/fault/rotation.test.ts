/**
 * `modified: append` in the real daemon: a program logs without a pause, its log is rotated in either way, and the daemon
 * is killed at random moments. Every line is in the lake once.
 */
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/generate.ts';
import { listLake } from '../support/oracle.ts';
import { sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 25 : 5;
/** Lines. */
const MOST_BEHIND = 5000;
const SEED = Number(process.env.SLUICE_SEED ?? 20261125);

let folder: string;
let logger: Logger | null = null;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-rotation-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  await logger?.stop();
  await rm(folder, { recursive: true });
});

const jobFile = (rotation: string, include: string) => `
version: 1
job: logs
state: ./state
parallelism: ${include === '*.log' ? 2 : 1}
checkpoint: { interval: 100ms, retain: 2 }
source:
  path: ./in
  include: ['${include}']
  monitor_interval: 50ms
  modified: append
  rotation: ${rotation}
  split_size: 1KiB
  format: { type: ndjson, schema: [{ name: id, type: int64 }] }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: base_path }
  rolling: { part_size: 64KiB, rollover_interval: 200ms, inactivity_interval: 200ms }
  bucket_check_interval: 50ms
`;

/** Ids of all rows that readers see, in order. */
async function visibleIds(): Promise<number[]> {
  const lake = path.join(folder, 'lake');
  const ids: number[] = [];
  for (const part of (await listLake(lake)).visible) {
    const lines = readFileSync(path.join(lake, part), 'utf8').split('\n').slice(0, -1);
    for (const line of lines) ids.push((JSON.parse(line) as { id: number }).id);
  }
  return ids.sort((a, b) => a - b);
}

/** Writes a log, a few lines at a time, and rotates it as logrotate does. */
class Logger {
  readonly #log = path.join(folder, 'in', 'app.log');
  readonly #random: () => number;
  readonly #done: Promise<void>;
  #handle = openSync(this.#log, 'a');
  #stopped = false;
  #rotations = 0;
  lines = 0;

  constructor(random: () => number, rotation: 'rename' | 'copytruncate', mayRotate: (id: number) => boolean) {
    this.#random = random;
    this.#done = this.#run(rotation, mayRotate);
  }

  /** Calls may repeat. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#done;
    closeSync(this.#handle);
  }

  #write(lines: number): void {
    for (let i = 0; i < lines; i++) writeSync(this.#handle, `{"id":${this.lines++}}\n`);
  }

  async #run(rotation: 'rename' | 'copytruncate', mayRotate: (id: number) => boolean): Promise<void> {
    let first = 0;
    while (!this.#stopped) {
      this.#write(1 + Math.floor(this.#random() * 30));
      await delay(this.#random() * 10);
      if (this.#random() > 0.1 || !mayRotate(first)) continue;
      const rotated = `${this.#log}.${++this.#rotations}`;
      first = this.lines;
      if (rotation === 'rename') {
        renameSync(this.#log, rotated);
        // A program goes on with the file that it has open until it is told.
        this.#write(3);
        await delay(this.#random() * 60);
        this.#write(3);
        closeSync(this.#handle);
        first = this.lines;
        this.#handle = openSync(this.#log, 'a');
      } else {
        writeFileSync(rotated, '');
        // Copied in pieces, as cp does.
        const bytes = readFileSync(this.#log);
        appendFileSync(rotated, bytes.subarray(0, bytes.length >> 1));
        await delay(this.#random() * 60);
        appendFileSync(rotated, bytes.subarray(bytes.length >> 1));
        ftruncateSync(this.#handle, 0);
      }
    }
  }
}

describe('logs that are rotated while the daemon is killed', () => {
  for (const rotation of ['rename', 'copytruncate'] as const) {
    for (const include of ['*.log*', '*.log']) {
      it(`rotation: ${rotation}, include: ${include}: every line once`, async () => {
        const job = path.join(folder, 'job.yaml');
        await writeFile(job, jobFile(rotation, include));
        const random = seededRandom(SEED);
        let newest = -1;
        let rows = 0;
        const look = async () => {
          const ids = await visibleIds();
          newest = ids.at(-1) ?? -1;
          rows = ids.length;
          return ids;
        };
        // A log of which nothing was read under a name that is input cannot be recognised under another one. Where all are
        // input, a slow machine has no more than some 30 of them to read: it would never be done with those it gets else.
        const behind = include === '*.log*' ? MOST_BEHIND : 0;
        logger = new Logger(random, rotation, (first) => newest >= first - behind);
        for (let round = 0; round < ROUNDS; round++) {
          const daemon = startSluice(['run', '--json', job]);
          await until('it reads on', async () => {
            expect(daemon.child.exitCode, daemon.stderr()).toBeNull();
            const before = rows;
            await look();
            return rows > before;
          });
          await delay(random() * 400);
          daemon.child.kill('SIGKILL');
          const { signal, stderr } = await daemon.ended;
          expect(signal, stderr).toBe('SIGKILL');
          const ids = await look();
          expect(ids.filter((id, i) => id === ids[i - 1])).toEqual([]);
        }
        await logger.stop();
        const written = logger.lines;
        for (let run = 0; run < 2; run++) {
          const { code, stderr } = await sluice(['backfill', job]);
          expect(code, stderr).toBe(0);
        }
        expect(await visibleIds()).toEqual(Array.from({ length: written }, (_, id) => id));
        const verified = await sluice(['verify', job]);
        expect(verified.code, verified.stdout + verified.stderr).toBe(0);
      });
    }
  }
});
