/** A folder of its own in which a test runs the program as a user does: job.yaml, in/, lake/, state/. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Checkpoint, decodeCheckpoint } from '../../lib/commit/checkpoint.ts';
import { GENERATED_COLUMNS, GENERATED_SCHEMA, generateRows, hourBucket, writeRows } from './generate.ts';
import { expectExactlyOnce, listLake, type Verdict } from './oracle.ts';
import { type Ended, type Running, sluice, startSluice } from './program.ts';

export interface JobText {
  readonly name?: string;
  readonly parallelism?: number;
  /** Lines of the source section besides path and format, without indentation. */
  readonly source?: string;
  readonly path?: string;
  readonly state?: string;
  readonly sink?: string;
  readonly format?: string;
  readonly checkpoint?: string;
  readonly rolling?: string;
}

type ProgramOptions = Parameters<typeof startSluice>[1] & {
  /** Behind the job file. */
  readonly args?: readonly string[];
};

export class ProgramFolder {
  readonly path: string;
  readonly #started: Running[] = [];

  private constructor(folder: string) {
    this.path = folder;
  }

  static async create(): Promise<ProgramFolder> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-program-'));
    await mkdir(path.join(folder, 'in'));
    return new ProgramFolder(folder);
  }

  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  /** Writes a job over generated rows: by hour of the row, parts small and quickly closed. */
  async job(job: JobText = {}): Promise<string> {
    const text = `version: 1
job: ${job.name ?? 'test'}
state: ${job.state ?? './state'}
parallelism: ${job.parallelism ?? 1}
memory: 8MiB
checkpoint: ${job.checkpoint ?? '{ interval: 100ms, retain: 2 }'}
source:
  path: ${job.path ?? './in'}
  monitor_interval: 100ms
${(job.source ?? '').replaceAll(/^(?=.)/gm, '  ')}
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts }
sink:
  path: ${job.sink ?? './lake'}
  format: ${job.format ?? '{ type: ndjson }'}
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: ${job.rolling ?? '{ part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 300ms }'}
  bucket_check_interval: 50ms
`;
    await writeFile(this.at('job.yaml'), text);
    return text;
  }

  /** Puts a file of generated rows into a folder, whole. */
  async arrive(name: string, rows: number, first: number, into = 'in'): Promise<void> {
    await writeRows(this.at(into, name), generateRows({ seed: 11, rows, first }));
  }

  run(command: string, options: ProgramOptions = {}): Promise<Ended> {
    return sluice([command, this.at('job.yaml'), ...(options.args ?? [])], options);
  }

  start(command: string, options: ProgramOptions = {}): Running {
    const running = startSluice([command, this.at('job.yaml'), ...(options.args ?? [])], options);
    this.#started.push(running);
    return running;
  }

  /** Proves that the lake holds every row of the input, once. */
  expectExactlyOnce(input = 'in', lake = 'lake'): Promise<Verdict> {
    return expectExactlyOnce({
      inputs: [this.at(input)],
      lake: this.at(lake),
      columns: GENERATED_COLUMNS,
      bucketOf: hourBucket,
    });
  }

  /** Path of the newest checkpoint of a job; null before the first. */
  async newestCheckpoint(name = 'test'): Promise<string | null> {
    const folder = this.at('state', name, 'checkpoints');
    const names = await readdir(folder).catch(() => []);
    const newest = names
      .filter((file) => /^\d+\.checkpoint$/.test(file))
      .sort()
      .at(-1);
    return newest === undefined ? null : path.join(folder, newest);
  }

  async readCheckpoint(name = 'test'): Promise<Checkpoint | null> {
    const newest = await this.newestCheckpoint(name);
    // It may be retired between two looks at the folder.
    const bytes = newest === null ? null : await readFile(newest).catch(() => null);
    return bytes === null ? null : decodeCheckpoint(bytes, newest!);
  }

  /** Part files that a reader of the lake sees. */
  async visibleParts(lake = 'lake'): Promise<readonly string[]> {
    return (await listLake(this.at(lake))).visible;
  }

  /** Moves a file or folder within this one. */
  async move(from: string, to: string): Promise<void> {
    await rename(this.at(from), this.at(to));
  }

  /** Ends what a failed test left running, and removes everything. */
  async remove(): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGKILL');
    await Promise.all(this.#started.map(({ ended }) => ended));
    await rm(this.path, { recursive: true, force: true });
  }
}
