/**
 * The checkpoint of test/golden/checkpoint/v1.checkpoint. A golden file is written once, when its version is new, and stays:
 *   npx tsx test/unit/commit/golden-checkpoint.ts test/golden/checkpoint/v1.checkpoint
 */
import { writeFileSync } from 'node:fs';
import { type Checkpoint, encodeCheckpoint } from '../../../lib/commit/checkpoint.ts';

export const GOLDEN: Checkpoint = {
  id: 42,
  jobId: '0a1b2c3d',
  jobName: 'web-events',
  runId: 'deadbeef',
  createdMs: 1_700_000_000_000,
  fingerprint: { 'source.path': '["/in"]', 'sink.path': '"/lake"' },
  schema: {
    fields: [
      { name: 'ts', type: { kind: 'timestamp', unit: 'ms' }, nullable: false },
      { name: 'tags', type: { kind: 'list', element: { kind: 'string' } }, nullable: true },
    ],
  },
  enumerator: {
    version: 1,
    nextFile: 8,
    realms: [{ realm: 1, folder: '/in', identity: '2049:131', selection: '["**",[],true]' }],
    splits: [
      {
        id: '7.1',
        fileId: '7',
        path: '/in/b.ndjson',
        sizeBytes: 1_000_000,
        modifiedNs: '1700000000123456789',
        compression: 'none',
        startByte: 500_000,
        endByte: 1_000_000,
        position: { offset: 500_000, records: 0, state: null },
      },
    ],
  },
  discovery: [{ segment: '41-discovery-deadbeef.segment', lengthBytes: 123, crc32: 4_042_322_160 }],
  subtasks: [
    {
      splits: [],
      sink: {
        nextCounter: 17,
        openParts: [
          {
            bucketId: 'dt=2026-11-23',
            finalPath: '/lake/dt=2026-11-23/part-0a1b2c3d-0-16.parquet',
            creationTimeMs: 1_699_999_990_000,
            lastUpdateTimeMs: 1_699_999_999_000,
            rows: 1234,
            file: {
              hiddenPath: '/lake/dt=2026-11-23/.part-0a1b2c3d-0-16.parquet.inprogress.deadbeef',
              finalPath: '/lake/dt=2026-11-23/part-0a1b2c3d-0-16.parquet',
              lengthBytes: 4,
            },
            footer: null,
            tails: [
              {
                segment: '42-0-deadbeef.segment',
                offsetBytes: 0,
                lengthBytes: 99,
                crc32: 1,
                rows: 1234,
                checkpointId: 42,
              },
            ],
          },
        ],
      },
    },
  ],
  committables: [
    {
      bucketId: 'dt=2026-11-22',
      file: {
        hiddenPath: '/lake/dt=2026-11-22/.part-0a1b2c3d-0-15.parquet.inprogress.deadbeef',
        finalPath: '/lake/dt=2026-11-22/part-0a1b2c3d-0-15.parquet',
        lengthBytes: 5678,
      },
      rows: 90,
    },
  ],
  totals: { files: 6, rows: 9999, rejected: 1, bytesIn: 8, parts: 16, bytesOut: 7, missingFiles: 0, late: 0 },
};

const target = process.argv[2];
if (target?.endsWith('.checkpoint') === true) writeFileSync(target, encodeCheckpoint(GOLDEN));
