/** `check --schema` and `status --schema`: the schema as YAML to paste, and what it rests on. */
import { describe, expect, test } from 'vitest';
import { encodeCheckpoint, NO_TOTALS } from '../../../lib/commit/checkpoint.ts';
import type { SchemaState } from '../../../lib/commit/written-columns.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { SchemaVersion } from '../../../lib/core/schema-change.ts';
import { schemaOf } from '../../support/job.ts';
import { CliHarness } from './cli-harness.ts';

const JOB = `version: 1
job: events
source:
  path: ./in
  format: { type: ndjson }
sink:
  path: ./lake
  bucket: { type: base_path }
`;

/** Names and values that YAML would read as something else are among them. */
const DATA = [
  {
    id: 1,
    'a: b': 'x',
    yes: true,
    total: 1.5,
    tags: ['a'],
    at: '2026-11-23T10:00:00.000Z',
    who: { name: 'A' },
  },
  { id: 2, 'a: b': null, yes: false, total: 2, tags: [], at: '2026-11-23T11:00:00.000Z', who: { name: 'B' } },
  { id: 3, yes: true, total: 3, tags: ['b', 'c'], at: '2026-11-23T12:00:00.000Z', who: { name: null } },
];

function harness(data = DATA.map((row) => `${JSON.stringify(row)}\n`).join('')): CliHarness {
  const cli = new CliHarness();
  cli.fileSystem.put('/work/job.yaml', JOB);
  cli.fileSystem.addFolder('/work/in');
  if (data !== '') cli.fileSystem.put('/work/in/a.ndjson', data);
  return cli;
}

/** The job with a schema pasted where the manual says. */
async function pasted(cli: CliHarness, yaml: string) {
  const indented = yaml
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  const text = JOB.replace('format: { type: ndjson }', `format:\n    type: ndjson\n${indented}`);
  cli.fileSystem.put('/pasted/job.yaml', text);
  return readJob('/pasted/job.yaml', { fileSystem: cli.fileSystem, environment: {}, parallelism: 1 });
}

describe('check --schema', () => {
  test('prints YAML that can be pasted, and how sure each column is', async () => {
    const cli = harness();
    const before = [...cli.fileSystem.files.keys()];
    expect(await cli.run('check', '--schema', 'job.yaml')).toBe(0);
    expect([...cli.fileSystem.files.keys()]).toEqual(before);
    const job = await pasted(cli, cli.stdout.text);
    expect(job.source.schema).toEqual({
      fields: [
        { name: 'id', type: { kind: 'int64' }, nullable: true },
        { name: 'a: b', type: { kind: 'string' }, nullable: true },
        { name: 'yes', type: { kind: 'boolean' }, nullable: true },
        { name: 'total', type: { kind: 'float64' }, nullable: true },
        { name: 'tags', type: { kind: 'list', element: { kind: 'string' } }, nullable: true },
        { name: 'at', type: { kind: 'timestamp', unit: 'ms' }, nullable: true },
        {
          name: 'who',
          type: { kind: 'struct', fields: [{ name: 'name', type: { kind: 'string' }, nullable: true }] },
          nullable: true,
        },
      ],
    });
    const { text } = cli.stderr;
    expect(text).toMatch(/^inferred from 1 file, about a megabyte of each:\n/);
    expect(text).toMatch(/^id +int64 +0\.0 % +3 integer \(1, 2, 3\)$/m);
    // Of three records one has null and one has no such key.
    expect(text).toMatch(/^a: b +string +66\.7 % +1 string \(x\)$/m);
    expect(text).toMatch(
      /^total +float64 +0\.0 % +2 integer \(2, 3\); 1 float \(1\.5\)$|^total +float64 +0\.0 % +1 float \(1\.5\); 2 integer \(2, 3\)$/m,
    );
  });

  test('--json: the schema, the files it rests on, and the evidence', async () => {
    const cli = harness('{"n":1}\n{"n":"one"}\n{}\n');
    expect(await cli.run('check', '--schema', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toEqual([
      {
        schema: [{ name: 'n', type: 'json', nullable: true }],
        files: ['/work/in/a.ndjson'],
        columns: [
          {
            name: 'n',
            records: 3,
            kinds: expect.arrayContaining([
              { kind: 'integer', values: 1, samples: ['1'] },
              { kind: 'string', values: 1, samples: ['one'] },
            ]),
          },
        ],
      },
    ]);
    expect(cli.stderr.text).toBe('');
  });

  test('of an array of records, too', async () => {
    const cli = harness('');
    cli.fileSystem.put('/work/job.yaml', JOB.replace('type: ndjson', 'type: json'));
    cli.fileSystem.put('/work/in/a.json', '[{"n":1}, {"n":2.5}, {}]');
    expect(await cli.run('check', '--schema', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([{ columns: [{ name: 'n', records: 3, kinds: [{}, {}] }] }]);
  });

  test('control characters of the data do not reach the terminal', async () => {
    const cli = harness('{"n":"\\u001b[31mred"}\n');
    expect(await cli.run('check', '--schema', 'job.yaml')).toBe(0);
    expect(cli.stderr.text).not.toContain('\u001b');
  });

  test('nothing to infer from is an error, and a schema of the job file is not what it asks for', async () => {
    const cli = harness('');
    expect(await cli.run('check', '--schema', 'job.yaml', '--json')).toBe(2);
    expect(cli.documents()).toMatchObject([{ error: { code: 'SCHEMA_UNKNOWN' } }]);
  });
});

describe('status --schema', () => {
  const HISTORY: readonly SchemaVersion[] = [
    {
      version: 1,
      checkpoint: 2,
      createdMs: Date.UTC(2026, 10, 23, 10),
      changes: [{ kind: 'added', column: 'id', type: 'int32' }],
      cause: null,
    },
    {
      version: 2,
      checkpoint: 7,
      createdMs: Date.UTC(2026, 10, 23, 11),
      changes: [
        { kind: 'widened', column: 'id', from: 'int32', to: 'int64' },
        { kind: 'added', column: 'no', type: 'string' },
      ],
      cause: '/work/in/b.ndjson',
    },
  ];

  function started(schema: Schema | null, columns?: SchemaState): CliHarness {
    const cli = harness();
    const checkpoint = {
      id: 7,
      jobId: '0badcafe',
      jobName: 'events',
      runId: '00000001',
      createdMs: 0,
      fingerprint: {},
      schema,
      ...(schema === null ? {} : { schemaHistory: HISTORY }),
      ...(columns === undefined ? {} : { columns }),
      enumerator: null,
      discovery: [],
      subtasks: [],
      committables: [],
      totals: NO_TOTALS,
    };
    cli.fileSystem.put(
      '/work/state/events/checkpoints/0000000007.checkpoint',
      Buffer.from(encodeCheckpoint(checkpoint)).toString(),
    );
    return cli;
  }

  test('prints the present schema as YAML that can be pasted, and each step that led to it', async () => {
    const cli = started(schemaOf({ id: 'int64', no: 'string' }));
    expect(await cli.run('status', '--schema', 'job.yaml')).toBe(0);
    const job = await pasted(cli, cli.stdout.text);
    expect(job.source.schema).toEqual(schemaOf({ id: 'int64', no: 'string' }));
    expect(cli.stderr.text).toBe(
      [
        'version 1 2026-11-23T10:00:00.000Z, checkpoint 2',
        '  id int32 is new',
        'version 2 2026-11-23T11:00:00.000Z, checkpoint 7, because of /work/in/b.ndjson',
        '  id was int32 and is int64',
        '  no string is new',
        '',
      ].join('\n'),
    );
  });

  test('--json', async () => {
    const cli = started(schemaOf({ id: 'int64', no: 'string' }));
    expect(await cli.run('status', '--schema', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toEqual([
      {
        job: 'events',
        schema: [
          { name: 'id', type: 'int64', nullable: true },
          { name: 'no', type: 'string', nullable: true },
        ],
        history: HISTORY,
        lake: {
          schema: [
            { name: 'id', type: 'int64', nullable: true },
            { name: 'no', type: 'string', nullable: true },
          ],
          history: HISTORY,
        },
      },
    ]);
    expect(cli.stderr.text).toBe('');
  });

  const COLUMNS: SchemaState = {
    schema: schemaOf({ number: 'string', _source_line: 'int64' }),
    history: [
      {
        ...{ version: 1, checkpoint: 2, createdMs: Date.UTC(2026, 10, 23, 10), cause: null },
        changes: [
          { kind: 'added', column: 'number', type: 'int64' },
          { kind: 'added', column: '_source_line', type: 'int64' },
        ],
      },
      {
        ...{ version: 2, checkpoint: 5, createdMs: Date.UTC(2026, 10, 23, 12), cause: null },
        changes: [
          { kind: 'retyped', column: 'number', from: 'int64', to: 'string' },
          { kind: 'removed', column: 'gone' },
        ],
      },
    ],
  };

  test('of a job that changes its rows: the source as YAML to paste, then the columns of the lake', async () => {
    const cli = started(schemaOf({ id: 'int64', no: 'string' }), COLUMNS);
    expect(await cli.run('status', '--schema', 'job.yaml')).toBe(0);
    expect((await pasted(cli, cli.stdout.text)).source.schema).toEqual(
      schemaOf({ id: 'int64', no: 'string' }),
    );
    expect(cli.stderr.text).toMatch(/^read from the source, as above\nversion 1 /);
    expect(cli.stderr.text.slice(cli.stderr.text.indexOf('\nwritten'))).toBe(
      [
        '',
        'written to the lake',
        '  number string',
        '  _source_line int64',
        'version 1 2026-11-23T10:00:00.000Z, checkpoint 2',
        '  number int64 is new',
        '  _source_line int64 is new',
        'version 2 2026-11-23T12:00:00.000Z, checkpoint 5',
        '  number was int64 and is string',
        '  gone is not written any more',
        '',
      ].join('\n'),
    );
    const json = started(schemaOf({ id: 'int64' }), COLUMNS);
    expect(await json.run('status', '--schema', 'job.yaml', '--json')).toBe(0);
    expect(json.documents()).toMatchObject([
      {
        schema: [{ name: 'id' }],
        lake: { schema: [{ name: 'number', type: 'string' }, { name: '_source_line' }], history: [{}, {}] },
      },
    ]);
  });

  test('a job without a schema says so, started or not', async () => {
    for (const cli of [started(null), harness()]) {
      expect(await cli.run('status', '--schema', 'job.yaml')).toBe(0);
      expect(cli.stderr.text).toBe('events: no schema yet\n');
      expect(await cli.run('status', '--schema', 'job.yaml', '--json')).toBe(0);
      expect(cli.documents()).toEqual([
        { job: 'events', schema: null, history: [], lake: { schema: null, history: [] } },
      ]);
    }
  });
});
