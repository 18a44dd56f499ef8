/**
 * `modified: append` and log rotation against a model that knows only what must come out: lines are written, files are
 * rotated in either way, cut, deleted, touched, renamed, at any moment of scanning and reading, and the process dies.
 *
 * Every line is unique. Never, whatever happens, may one come out twice, or one that nobody wrote. And each must come out
 * that stood, with its line end, in a file that is input, or was and has another name since, when the source came to rest.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rotation } from '../../../lib/source/append-follower.ts';
import type { MemoryFile } from '../../support/memory-file-system.ts';
import { type Saved, SourceHarness } from './source-harness.ts';

const WANTED = ['/in/a.log', '/in/b.log', '/in/sub/c.log'];
/** `.1` is input as well, the others are not. */
const SUFFIXES = ['.1', '.2', '-old'];
const INCLUDE = ['**/*.log', '**/*.1'];
const isWanted = (path: string) => path.endsWith('.log') || path.endsWith('.1');

const original = fc.constantFrom(...WANTED);
const path = fc.tuple(original, fc.constantFrom('', '', ...SUFFIXES)).map(([name, suffix]) => name + suffix);
const count = fc.integer({ min: 0, max: 4 });
const half = fc.boolean();
const failedPage = fc.constantFrom(null, null, 0, 1);
/** null: not while anything is looked at; otherwise after so many operations of a scan and of what comes of it. */
const moment: fc.Arbitrary<Moment | null> = fc.oneof(
  fc.constant(null),
  fc.record({ operation: fc.constant('list' as const), skip: fc.integer({ min: 1, max: 3 }), failedPage }),
  fc.record({
    operation: fc.constantFrom('stat' as const, 'open' as const, 'read' as const),
    skip: fc.integer({ min: 0, max: 12 }),
    failedPage,
  }),
);

interface Moment {
  readonly operation: 'list' | 'stat' | 'open' | 'read';
  readonly skip: number;
  /** Of the listing, this page fails, and the next scan tries again. */
  readonly failedPage: number | null;
}

type Step =
  | {
      readonly type: 'write' | 'append' | 'replace';
      readonly path: string;
      readonly count: number;
      readonly half: boolean;
    }
  | {
      readonly type: 'rotate';
      readonly path: string;
      /** Into another folder, where it stays. */
      readonly away: boolean;
      readonly create: boolean;
      readonly moment: Moment | null;
    }
  | {
      readonly type: 'copytruncate';
      readonly path: string;
      readonly suffix: string;
      /** `begun`: the copy was seen before it was whole. */
      readonly between: 'nothing' | 'begun' | 'scan' | 'append' | 'crash';
      /** The copy that had the name is moved on before. */
      readonly shift: boolean;
      /** Lines that the program writes as soon as the log is cut. */
      readonly anew: number;
      readonly moment: Moment | null;
    }
  | { readonly type: 'truncate' | 'delete' | 'touch'; readonly path: string }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  | { readonly type: 'read'; readonly batches: number }
  /** `batches`: read between the capture and the answer of the subtask. */
  | { readonly type: 'checkpoint'; readonly batches: number }
  | { readonly type: 'scan' | 'rest' | 'crash' };

const written = (type: 'write' | 'append' | 'replace') =>
  fc.record({ type: fc.constant(type), path, count, half });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: written('write') },
  { weight: 8, arbitrary: written('append') },
  { weight: 1, arbitrary: written('replace') },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('rotate' as const),
      path: original,
      away: fc.boolean(),
      create: fc.boolean(),
      moment,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('copytruncate' as const),
      path: original,
      suffix: fc.constantFrom(...SUFFIXES),
      between: fc.constantFrom('nothing', 'begun', 'scan', 'append', 'crash'),
      shift: fc.boolean(),
      anew: fc.integer({ min: 0, max: 8 }),
      moment,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('truncate', 'delete', 'touch'), path }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rename' as const), path, to: path }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('read' as const), batches: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('scan' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('rest', 'crash') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('checkpoint' as const),
      batches: fc.integer({ min: 0, max: 3 }),
    }),
  },
);

/** Rotated into a folder that is looked at as well. */
function awayName(name: string): string {
  return `/in/sub/${name.slice('/in/'.length).replaceAll('/', '_')}.1`;
}

/** The whole lines of a file: what stands behind the last line end waits. */
function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

class World {
  readonly source: SourceHarness;
  readonly #rotation: Rotation;
  #line = 0;
  #tick = 1n;
  /** Every line that ever stood in a file, with its line end. */
  readonly #written = new Set<string>();
  #must = new Set<string>();
  /** Files, whatever their names, that were input when the source was at rest, and had something that was taken. */
  #followed = new Set<MemoryFile>();
  /** Something happened while the last listing passed. A file that two in a row miss is forgotten: documented. */
  #missed = false;
  /** With what the followed files had. */
  #saved: { saved: Saved; must: Set<string>; followed: Map<MemoryFile, Uint8Array> } | null = null;

  constructor(rotation: Rotation, subtasks: number) {
    this.#rotation = rotation;
    this.source = new SourceHarness(
      { modified: 'append', rotation, include: INCLUDE, splitSizeBytes: 16 },
      { batchRows: 2, chunkBytes: 5 },
    );
    this.source.subtasks = subtasks;
  }

  #lines(lines: number, half: boolean): string {
    let text = '';
    for (let i = 0; i < lines; i++) text += `${this.#nextLine()}>\n`;
    return half ? text + this.#nextLine() : text;
  }

  /** Of one length: half a line must not look like the beginning of another one. */
  #nextLine(): string {
    return `<${String(this.#line++).padStart(3, '0')}`;
  }

  #truncate(name: string): void {
    const file = this.source.fileSystem.files.get(name);
    if (file === undefined) return;
    this.#followed.delete(file);
    this.source.fileSystem.write(name, '', this.#tick);
  }

  #note(): void {
    for (const file of this.source.fileSystem.files.values())
      for (const line of wholeLines(Buffer.from(file.bytes).toString())) this.#written.add(line);
  }

  #check(): void {
    const { lines, failure } = this.source;
    expect(failure).toBeNull();
    expect(lines.filter((line, i) => lines.indexOf(line) !== i)).toEqual([]);
    expect(lines.filter((line) => !this.#written.has(line))).toEqual([]);
  }

  async rest(): Promise<void> {
    this.#missed = false;
    // One to find what a listing under way missed, one for what waits for another file to be taken.
    for (let i = 0; i < 3; i++) {
      await this.source.scan();
      await this.source.drain();
    }
    for (const [name, file] of this.source.fileSystem.files) {
      if (!isWanted(name) && !this.#followed.has(file)) continue;
      const lines = wholeLines(Buffer.from(file.bytes).toString());
      for (const line of lines) this.#must.add(line);
      if (lines.length > 0) this.#followed.add(file);
    }
    this.#check();
    expect([...this.#must].filter((line) => !this.source.lines.includes(line))).toEqual([]);
  }

  /** Something that happens now, or while the next scan lists, or what it found is looked at and read. */
  async #perhapsMeanwhile(moment: Moment | null, action: () => void): Promise<void> {
    if (moment === null) return action();
    let done = false;
    const once = () => {
      if (!done) action();
      done = true;
    };
    const { operation, skip, failedPage } = moment;
    if (this.#missed) await this.source.scan();
    this.#missed = operation === 'list';
    if (failedPage !== null)
      this.source.fileSystem.fail({ operation: 'list', path: '/in', skip: failedPage });
    this.source.fileSystem.fail({ operation, skip, action: once });
    await this.source.scan();
    if (operation !== 'list') await this.source.drain();
    this.source.fileSystem.clearFaults();
    once();
  }

  async step(next: Step): Promise<void> {
    const { source } = this;
    const { fileSystem } = source;
    this.#tick++;
    switch (next.type) {
      case 'write': {
        const file = fileSystem.files.get(next.path);
        if (file !== undefined) this.#followed.delete(file);
        fileSystem.write(next.path, this.#lines(next.count, next.half), this.#tick);
        break;
      }
      case 'append':
        fileSystem.append(next.path, this.#lines(next.count, next.half), this.#tick);
        break;
      case 'replace':
        fileSystem.put(next.path, this.#lines(next.count, next.half), this.#tick);
        break;
      case 'rotate': {
        const name = next.path;
        await this.#settleCopies();
        await this.#perhapsMeanwhile(next.moment, () => {
          // What is moved over the last one destroys it.
          if (!next.away) fileSystem.rename(`${name}.1`, `${name}.2`);
          fileSystem.rename(name, next.away ? awayName(name) : `${name}.1`);
          if (next.create) fileSystem.put(name, this.#lines(1, false), this.#tick);
          this.#note();
        });
        break;
      }
      case 'copytruncate':
        await this.#copyAndTruncate(next);
        break;
      case 'truncate':
        this.#truncate(next.path);
        break;
      case 'delete':
        fileSystem.files.delete(next.path);
        // Forgotten before its copies were looked at, it tells nobody that they are copies.
        if ([...fileSystem.files.keys()].some((name) => name.startsWith(next.path))) await this.#settle();
        break;
      case 'touch':
        fileSystem.touch(next.path, this.#tick);
        break;
      case 'rename':
        await this.#settleCopies();
        // What was copied, and is found only under the name of another log, nobody can know again.
        if (!isWanted(next.path) && isWanted(next.to)) await this.rest();
        if (next.path !== next.to) fileSystem.rename(next.path, next.to);
        await this.#settleCopies();
        if (!isWanted(next.path) && isWanted(next.to)) await this.#settle();
        break;
      case 'read':
        for (let i = 0; i < next.batches; i++) await source.step();
        break;
      case 'scan':
        this.#missed = false;
        await source.scan();
        break;
      case 'rest':
        await this.rest();
        break;
      case 'checkpoint':
        await this.#checkpoint(next.batches);
        break;
      case 'crash':
        await this.#crash();
    }
    this.#note();
    this.#check();
  }

  async #checkpoint(batches: number): Promise<void> {
    const must = new Set(this.#must);
    const followed = new Map([...this.#followed].map((file) => [file, file.bytes]));
    this.#saved = { saved: await this.source.checkpointWhileReading(batches), must, followed };
  }

  /** No crash goes back behind this. */
  async #settle(): Promise<void> {
    await this.rest();
    await this.#checkpoint(0);
  }

  /** Of a log that is both copied and renamed, lines may come twice after a crash: documented. */
  async #settleCopies(): Promise<void> {
    if (this.#rotation === 'copytruncate') await this.#settle();
  }

  async #crash(): Promise<void> {
    await this.source.kill();
    this.#must = new Set(this.#saved?.must);
    // One that was cut or written anew since then is another one to who knows it as it was then.
    const isSame = ([{ bytes }, before]: [MemoryFile, Uint8Array]) =>
      Buffer.from(bytes).subarray(0, before.length).equals(before);
    const followed = [...(this.#saved?.followed ?? [])].filter(isSame);
    this.#followed = new Set(followed.map(([file]) => file));
    await this.source.start(this.#saved?.saved ?? null);
  }

  async #copyAndTruncate(next: Extract<Step, { type: 'copytruncate' }>): Promise<void> {
    const { fileSystem } = this.source;
    const copy = next.path + next.suffix;
    // Without being told of it, a copy that is input is a file of its own: documented.
    if (this.#rotation === 'rename' && isWanted(copy)) return;
    if (!fileSystem.files.has(next.path)) return;
    // Otherwise a file that is copied while what was copied from it before is not read.
    await this.rest();
    const cutsAtOnce = next.between === 'nothing' || next.between === 'begun';
    if (cutsAtOnce) {
      fileSystem.append(next.path, this.#lines(2, false), this.#tick);
      this.#note();
    }
    const before = fileSystem.files.get(next.path)!;
    const isFollowed = this.#followed.has(before);
    if (next.between === 'begun')
      fileSystem.put(copy, before.bytes.subarray(0, before.bytes.length >> 1), this.#tick);
    await this.#perhapsMeanwhile(next.moment, () => {
      if (next.shift && next.suffix === '.1' && next.between !== 'begun')
        fileSystem.rename(copy, `${next.path}.2`);
      if (next.between === 'begun') fileSystem.write(copy, before.bytes, this.#tick);
      else fileSystem.put(copy, before.bytes, this.#tick);
      if (!cutsAtOnce) return;
      this.#truncate(next.path);
      // Of the same size at the same time it would be the same file.
      fileSystem.append(next.path, this.#lines(next.anew, false), ++this.#tick);
      this.#note();
      // Its unread tail is found in the copy, if something was taken.
      if (isFollowed) this.#followed.add(fileSystem.files.get(copy)!);
    });
    if (cutsAtOnce) return this.rest();
    if (next.between === 'append') {
      fileSystem.append(next.path, this.#lines(2, false), this.#tick);
      this.#note();
    }
    if (next.between === 'crash') await this.#crash();
    await this.source.scan();
    await this.source.drain();
    this.#tick++;
    if (fileSystem.files.get(next.path) === before) this.#truncate(next.path);
    await this.rest();
    // Not input, and with less than was taken: nobody looked at it, so it must not come back under a name that is input.
    if (next.between === 'append' && !isWanted(copy)) fileSystem.files.delete(copy);
  }
}

async function run(rotation: Rotation, subtasks: number, steps: readonly Step[]): Promise<void> {
  const world = new World(rotation, subtasks);
  // A piece of the listing of their own, so that what happens behind it is missed by the listing or seen twice.
  for (const name of ['x', 'y', 'z']) world.source.fileSystem.put(`/in/${name}.log`, '');
  await world.source.start();
  for (const next of steps) await world.step(next);
  await world.rest();
  await world.source.kill();
  expect(world.source.fileSystem.openSources).toBe(0);
}

describe('modified: append: no line twice, and none lost that can be had', () => {
  for (const rotation of ['rename', 'copytruncate'] as const) {
    it(`rotation: ${rotation}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 2 }),
          fc.array(step, { maxLength: 30, size: 'max' }),
          (subtasks, steps) => run(rotation, subtasks, steps),
        ),
        { numRuns: Number(process.env.RUNS ?? 150) },
      );
    });
  }
});
