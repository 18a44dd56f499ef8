import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../../lib/commit/checkpoint.ts';
import { type Claims, claimsOf } from '../../../lib/commit/gc/claims.ts';
import { type FoundFile, judge, type Runner } from '../../../lib/commit/gc/verdict.ts';
import { committable, TEST_JOB_ID as JOB_ID, openPart, testCheckpoint } from '../../support/checkpoints.ts';

const NAMES = { jobName: 'events', jobId: JOB_ID };
const LIVE: Runner = { runId: 'aaaaaaaa', startedMs: 10_000_000 };
const SILENT: Runner = { runId: null, startedMs: null };

const hidden = (counter: number, run: string) => `.part-${JOB_ID}-0-${counter}.parquet.inprogress.${run}`;
const inLake = (name: string): FoundFile => ({ area: 'lake', path: `/lake/dt=1/${name}`, name });
const inState = (area: 'checkpoints' | 'segments', name: string): FoundFile => ({
  area,
  path: `/state/${area}/${name}`,
  name,
});
const upload = (name: string, uploadId: string, startedMs: number): FoundFile => ({
  area: 'uploads',
  path: `s3://lake/${name}`,
  name,
  uploadId,
  startedMs,
});

const CLAIMS = claimsOf([
  testCheckpoint(6, {
    subtasks: [
      {
        splits: [],
        sink: {
          nextCounter: 9,
          openParts: [openPart(`/lake/dt=1/${hidden(1, 'dead0001')}`, ['6-0-dead0001.segment'])],
        },
      },
    ],
  }),
  testCheckpoint(7, {
    discovery: [{ segment: '3-discovery-dead0001.segment', lengthBytes: 1, crc32: 0 }],
    subtasks: [
      { splits: [], sink: { nextCounter: 9, openParts: [openPart(`/lake/dt=1/${hidden(1, 'dead0001')}`)] } },
      // What a storage with uploads keeps of an open part: fields of its own.
      {
        splits: [],
        sink: {
          nextCounter: 9,
          openParts: [{ ...openPart(null), footer: { upload: { id: 'upload-1' } } }],
        },
      },
    ],
    committables: [committable(`/lake/dt=1/${hidden(2, 'dead0001')}`)],
  }),
]);

describe('what is needed', () => {
  test.each([
    ['an open part', inLake(hidden(1, 'dead0001')), { kind: 'resumable', checkpointId: 7 }],
    ['a promised part', inLake(hidden(2, 'dead0001')), { kind: 'promised', checkpointId: 7 }],
    [
      'rows of an older checkpoint',
      inState('segments', '6-0-dead0001.segment'),
      { kind: 'resumable', checkpointId: 6 },
    ],
    [
      'discovery',
      inState('segments', '3-discovery-dead0001.segment'),
      { kind: 'resumable', checkpointId: 7 },
    ],
    [
      'the newest checkpoint',
      inState('checkpoints', '0000000007.checkpoint'),
      { kind: 'resumable', checkpointId: 7 },
    ],
    [
      'an upload',
      upload(`part-${JOB_ID}-0-3.parquet`, 'upload-1', 0),
      { kind: 'resumable', checkpointId: 7 },
    ],
  ] as const)('%s, whoever runs the job', (_, file, verdict) => {
    for (const runner of [null, LIVE, SILENT]) expect(judge(file, CLAIMS, runner, NAMES)).toEqual(verdict);
  });
});

describe('what is not named by a checkpoint', () => {
  test.each([
    ['a hidden part of the running process', inLake(hidden(3, 'aaaaaaaa')), 'in use', 'orphan', 'in use'],
    ['a hidden part of a dead run', inLake(hidden(3, 'dead0001')), 'orphan', 'orphan', 'in use'],
    [
      'a compacted part of a dead run',
      inLake(`.part-${JOB_ID}-c-3.parquet.inprogress.dead0001`),
      'orphan',
      'orphan',
      'in use',
    ],
    ['half a marker', inLake('..sluice-events.json.tmp.dead0001'), 'orphan', 'orphan', 'in use'],
    [
      'a segment of the checkpoint under way',
      inState('segments', '8-0-aaaaaaaa.segment'),
      'in use',
      'orphan',
      'in use',
    ],
    [
      'a segment that a dead run wrote ahead',
      inState('segments', '8-0-dead0001.segment'),
      'orphan',
      'orphan',
      'in use',
    ],
    ['a superseded segment', inState('segments', '5-0-aaaaaaaa.segment'), 'orphan', 'orphan', 'in use'],
    ['a retired checkpoint', inState('checkpoints', '0000000005.checkpoint'), 'orphan', 'orphan', 'orphan'],
    [
      'a checkpoint newer than we read',
      inState('checkpoints', '0000000008.checkpoint'),
      'in use',
      'in use',
      'in use',
    ],
    [
      'half a checkpoint',
      inState('checkpoints', '.0000000008.checkpoint.tmp.dead0001'),
      'orphan',
      'orphan',
      'in use',
    ],
    [
      'half a segment',
      inState('segments', '.8-0-aaaaaaaa.segment.tmp.aaaaaaaa'),
      'in use',
      'orphan',
      'in use',
    ],
    [
      'an upload from before the process',
      upload(`part-${JOB_ID}-0-4.parquet`, 'u', 1000),
      'orphan',
      'orphan',
      'in use',
    ],
    ['an upload since', upload(`part-${JOB_ID}-0-4.parquet`, 'u', 9_900_000), 'in use', 'orphan', 'in use'],
  ])('%s', (_, file, live, nobody, silent) => {
    expect(judge(file, CLAIMS, LIVE, NAMES).kind, 'beside the running process').toBe(live);
    expect(judge(file, CLAIMS, null, NAMES).kind, 'while nobody runs the job').toBe(nobody);
    expect(judge(file, CLAIMS, SILENT, NAMES).kind, 'while its process is stopped').toBe(silent);
  });

  test.each([
    ['another job of the lake', inLake(`.part-ffffffff-0-3.parquet.inprogress.dead0001`)],
    ['a success file', inLake('_SUCCESS')],
    ['a hidden file of whoever', inLake('.DS_Store')],
    ['another job of the name', inLake('.sluice-other.json')],
    ['a stranger in the state', inState('segments', 'notes.txt')],
    ['a stranger beside checkpoints', inState('checkpoints', 'backup.tar')],
    ['an upload of somebody else', upload('movie.mp4', 'u', 0)],
  ])('%s is not ours', (_, file) => {
    for (const runner of [null, LIVE, SILENT])
      expect(judge(file, CLAIMS, runner, NAMES)).toEqual({ kind: 'not ours' });
  });

  test('the marker is kept', () => {
    expect(judge(inLake('.sluice-events.json'), CLAIMS, null, NAMES)).toMatchObject({ kind: 'kept' });
  });

  test('of a job without state, no part is ours', () => {
    const names = { jobName: 'events', jobId: null };
    expect(judge(inLake(hidden(1, 'dead0001')), claimsOf([]), null, names)).toEqual({ kind: 'not ours' });
  });
});

/**
 * A job of few lines and a gc whose three looks (files, runner, checkpoints) and whose removal fall anywhere between
 * the job's own steps.
 */
class World {
  hidden = new Set<string>();
  segments = new Set<string>();
  published = new Set<string>();
  checkpoints: Checkpoint[] = [];
  live: { run: string; open: string[]; closed: string[]; segment: string | null } | null = null;
  #runs = 0;
  #counter = 0;

  get newest(): Checkpoint | undefined {
    return this.checkpoints.at(-1);
  }

  start(): void {
    if (this.live !== null) return;
    const { newest } = this;
    const open = (newest?.subtasks ?? []).flatMap(({ sink }) => sink.openParts);
    for (const part of open) {
      expect(this.hidden, 'the part that recovery needs').toContain(part.file?.hiddenPath);
      for (const { segment } of part.tails)
        expect(this.segments, 'the segment that recovery needs').toContain(segment);
    }
    this.#commit();
    this.live = {
      run: (++this.#runs).toString(16).padStart(8, '0'),
      open: open.map((part) => part.file!.hiddenPath),
      closed: [],
      segment: null,
    };
  }

  write(): void {
    if (this.live === null) return;
    const path = `/lake/${hidden(this.#counter++, this.live.run)}`;
    this.hidden.add(path);
    this.live.open.push(path);
  }

  close(): void {
    const path = this.live?.open.shift();
    if (path !== undefined) this.live!.closed.push(path);
  }

  /** The first half of a checkpoint: its segment. */
  snapshot(): void {
    const { live } = this;
    if (live === null || live.segment !== null) return;
    live.segment = `${(this.newest?.id ?? 0) + 1}-0-${live.run}.segment`;
    this.segments.add(live.segment);
  }

  /** @param dies where: once it is durable, once its parts are published, or not at all */
  checkpoint(dies: 'durable' | 'published' | 'never'): void {
    this.snapshot();
    const { live } = this;
    if (live?.segment == null) return;
    const { segment } = live;
    expect(this.segments, 'the segment of the checkpoint').toContain(segment);
    const openParts = live.open.map((path) => openPart(path, [segment]));
    this.checkpoints.push(
      testCheckpoint((this.newest?.id ?? 0) + 1, {
        subtasks: [{ splits: [], sink: { nextCounter: this.#counter, openParts } }],
        committables: live.closed.map(committable),
      }),
    );
    if (dies !== 'durable') this.#commit();
    live.closed = [];
    live.segment = null;
    if (dies !== 'never') this.crash();
    else this.checkpoints = this.checkpoints.slice(-2);
  }

  crash(): void {
    this.live = null;
  }

  #commit(): void {
    for (const { file } of this.newest?.committables ?? []) {
      const there = this.hidden.delete(file.hiddenPath);
      expect(there || this.published.has(file.finalPath), `${file.finalPath} is hidden or published`).toBe(
        true,
      );
      this.published.add(file.finalPath);
    }
  }
}

type Step = 'start' | 'write' | 'close' | 'snapshot' | 'never' | 'durable' | 'published' | 'crash' | 'look';

describe('gc against a model of the job', () => {
  test('nothing that it removes is missed by the run that lives or by any later one', () => {
    const steps = fc.array(
      fc.constantFrom<Step>(
        ...(['start', 'write', 'write', 'close', 'snapshot', 'snapshot', 'never', 'never'] as const),
        ...(['durable', 'published', 'crash', 'look', 'look', 'look', 'look'] as const),
      ),
      { minLength: 15, maxLength: 80, size: 'max' },
    );
    let removed = 0;
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new World();
        let files: FoundFile[] = [];
        let runner: Runner | null = null;
        let claims: Claims | null = null;
        let look = 0;
        for (const action of actions) {
          if (action === 'start') world.start();
          else if (action === 'write') world.write();
          else if (action === 'close') world.close();
          else if (action === 'snapshot') world.snapshot();
          else if (action === 'crash') world.crash();
          else if (action === 'look') {
            switch (look++ % 4) {
              case 0:
                files = [
                  ...[...world.hidden].map(
                    (path): FoundFile => ({ area: 'lake', path, name: path.slice('/lake/'.length) }),
                  ),
                  ...[...world.segments].map((name) => inState('segments', name)),
                ];
                break;
              case 1:
                runner = world.live === null ? null : { runId: world.live.run, startedMs: 0 };
                break;
              case 2:
                claims = claimsOf(world.checkpoints);
                break;
              default:
                for (const file of files) {
                  if (judge(file, claims!, runner, NAMES).kind !== 'orphan') continue;
                  removed++;
                  expect(world.live?.open ?? [], 'in use').not.toContain(file.path);
                  expect(world.live?.closed ?? [], 'about to be promised').not.toContain(file.path);
                  world.hidden.delete(file.path);
                  world.segments.delete(file.name);
                }
            }
          } else world.checkpoint(action);
        }
        world.crash();
        world.start();
      }),
      { numRuns: 1000 },
    );
    expect(removed, 'it removed something').toBeGreaterThan(100);
  });
});
