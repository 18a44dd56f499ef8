/** Checkpoints for tests of what reads them. */
import { type Checkpoint, NO_TOTALS } from '../../lib/commit/checkpoint.ts';
import type { Committable, OpenPart } from '../../lib/sink/sink-state.ts';

export const TEST_JOB_ID = '0a1b2c3d';

export function testCheckpoint(id: number, overrides: Partial<Checkpoint> = {}): Checkpoint {
  return {
    id,
    jobId: TEST_JOB_ID,
    jobName: 'events',
    runId: '00000001',
    createdMs: 0,
    fingerprint: {},
    schema: null,
    enumerator: null,
    discovery: [],
    subtasks: [],
    committables: [],
    totals: NO_TOTALS,
    ...overrides,
  };
}

/** A part of which some bytes are in its hidden file, and some rows in segments. */
export function openPart(hiddenPath: string | null, segments: readonly string[] = []): OpenPart {
  return {
    bucketId: '',
    finalPath: `${hiddenPath}.final`,
    creationTimeMs: 0,
    lastUpdateTimeMs: 0,
    rows: 1,
    file: hiddenPath === null ? null : { hiddenPath, finalPath: `${hiddenPath}.final`, lengthBytes: 1 },
    footer: null,
    tails: segments.map((segment) => ({
      segment,
      offsetBytes: 0,
      lengthBytes: 1,
      crc32: 0,
      rows: 1,
      checkpointId: 1,
    })),
  };
}

export function committable(hiddenPath: string): Committable {
  return { bucketId: '', rows: 1, file: { hiddenPath, finalPath: `${hiddenPath}.final`, lengthBytes: 1 } };
}
