// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how a job file refers to its environment
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Environment } from '../../../lib/config/environment.ts';
import { type JsonSchema, jsonSchema } from '../../../lib/config/json-schema.ts';
import { jobToYaml } from '../../../lib/config/print-job.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import type { CompiledJob } from '../../../lib/core/compiled-job.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { NO_LIMITS } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const FILE = '/jobs/job.yaml';

/** The example of the design, as far as this version goes. */
const DESIGN_JOB = `
version: 1
job: web-events                  # [a-z0-9-], names state, lock and metrics
state: ./state
parallelism: 2
memory: 256MiB
checkpoint: { interval: 10s, retain: 3 }
source:
  path: ./incoming
  include: ['**/*.ndjson', '**/*.ndjson.gz']
  monitor_interval: 10s
  min_age: 0s
  modified: ignore
  format:
    type: ndjson
    compression: auto
    schema: infer
    on_new_field: ignore
    on_bad_record: fail
  after_commit: keep
event_time: { field: ts }
sink:
  path: ./lake/events
  format: { type: parquet, compression: snappy }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: UTC }
  rolling: { part_size: 128MiB, rollover_interval: 60s, inactivity_interval: 60s }
  part: { prefix: part }
`;

/** The least a job file holds, with more for source, source.format and sink. */
function minimal(more: { source?: string; format?: string; sink?: string; top?: string } = {}): string {
  return [
    'version: 1',
    'job: x',
    more.top ?? '',
    'source:',
    '  path: ./in',
    `  ${more.source ?? ''}`,
    `  format: { type: ndjson, ${more.format ?? ''} }`,
    'sink:',
    '  path: ./lake',
    `  ${more.sink ?? ''}`,
    '',
  ].join('\n');
}

function read(
  text: string | Uint8Array,
  environment: Environment = {},
  prepare: (fileSystem: MemoryFileSystem) => void = () => {},
): Promise<CompiledJob> {
  const fileSystem = new MemoryFileSystem(new ManualClock(1000));
  fileSystem.put(FILE, text);
  prepare(fileSystem);
  return readJob(FILE, { fileSystem, environment, parallelism: 4 });
}

interface Listed {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

async function problemsOf(...call: Parameters<typeof read>): Promise<Listed[]> {
  const error = await read(...call).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw new Error(`no SluiceError: ${String(error)}`);
  expect(error.code).toBe('JOB_INVALID');
  expect(error.exitCode).toBe(2);
  return error.details.problems as Listed[];
}

async function messagesOf(...call: Parameters<typeof read>): Promise<string[]> {
  return (await problemsOf(...call)).map(
    ({ path, line, column, message }) => `${line}:${column} ${path}: ${message}`,
  );
}

describe('a valid job', () => {
  test('the example of the design compiles', async () => {
    expect(await read(DESIGN_JOB)).toEqual({
      name: 'web-events',
      statePath: '/jobs/state/web-events',
      parallelism: 2,
      memoryBytes: 268_435_456,
      checkpoint: { intervalMs: 10_000, retain: 3 },
      shutdownTimeoutMs: 30_000,
      source: {
        paths: ['/jobs/incoming'],
        include: ['**/*.ndjson', '**/*.ndjson.gz'],
        exclude: [],
        recursive: true,
        monitorIntervalMs: 10_000,
        watch: true,
        minAgeMs: 0,
        modified: 'ignore',
        onReplaced: 'read',
        rotation: 'rename',
        splitSizeBytes: 67_108_864,
        maxRecordBytes: 33_554_432,
        onBadRecord: 'fail',
        badRecordLimits: { maxRecords: null, maxRatio: null },
        drift: { newField: 'ignore', mismatch: 'bad_record' },
        format: { type: 'ndjson', compression: 'auto' },
        schema: 'infer',
        afterCommit: { kind: 'keep' },
        limits: NO_LIMITS,
        lineage: [],
        notifications: null,
      },
      transform: [],
      eventTime: { column: 'ts', unit: 'ms' },
      watermarks: { maxOutOfOrdernessMs: 0, idleTimeoutMs: null, late: 'keep', allowedLatenessMs: 0 },
      sink: {
        path: '/jobs/lake/events',
        staging: null,
        format: {
          type: 'parquet',
          engine: 'sluice',
          compression: 'snappy',
          rowGroupBytes: 67_108_864,
          pageBytes: 1_048_576,
        },
        bucket: { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: 'UTC' },
        partitionTime: null,
        partitionCommit: null,
        rolling: {
          type: 'default',
          partSizeBytes: 134_217_728,
          rolloverIntervalMs: 60_000,
          inactivityIntervalMs: 60_000,
          maxRows: null,
          onCheckpoint: false,
          watermarkDelayMs: null,
        },
        partPrefix: 'part',
        partSuffix: null,
        bucketCheckIntervalMs: 1000,
        compaction: null,
        table: null,
      },
      quarantine: null,
      s3: DEFAULT_S3,
    });
  });

  test('object stores: every place, the endpoint from the environment, and written out again', async () => {
    const text = `version: 1
job: j
state: s3://bucket/state/
source: { path: [s3://bucket/in, ./local], format: { type: ndjson } }
sink: { path: s3://other/lake, format: { type: ndjson } }
s3: { part_bytes: 16MiB, encryption: aws:kms, kms_key: k, tags: { team: data }, spool: ./spool }
`;
    const environment = { AWS_ENDPOINT_URL: 'http://localhost:9000', AWS_SECRET_ACCESS_KEY: 'secret' };
    const job = await read(text, environment);
    expect(job.statePath).toBe('s3://bucket/state/j');
    expect(job.source.paths).toEqual(['s3://bucket/in', '/jobs/local']);
    expect(job.sink.path).toBe('s3://other/lake');
    expect(job.s3).toEqual({
      ...DEFAULT_S3,
      endpoint: 'http://localhost:9000',
      region: 'us-east-1',
      pathStyle: true,
      partBytes: 16 * 1024 * 1024,
      encryption: 'aws:kms',
      kmsKey: 'k',
      tags: { team: 'data' },
      spoolFolder: '/jobs/spool',
    });
    expect(await read(jobToYaml(job))).toEqual(job);
    expect(JSON.stringify(job)).not.toContain('secret');
  });

  test('defaults: parquet, processing time by the hour, all cores', async () => {
    const job = await read(minimal());
    expect(job.parallelism).toBe(4);
    expect(job.sink.bucket).toEqual({
      type: 'datetime',
      time: 'processing',
      pattern: 'yyyy-MM-dd--HH',
      zone: 'UTC',
    });
    expect(job.sink.format.type).toBe('parquet');
    expect(job.eventTime).toBeNull();
  });

  test('absolute paths stay, lists of paths are lists', async () => {
    const job = await read(
      minimal({ sink: 'staging: /stage/x' }).replace('path: ./in', 'path: [/data/a, "b/*.csv", ../c]'),
    );
    expect(job.source.paths).toEqual(['/data/a', '/jobs/b/*.csv', '/c']);
    expect(job.sink.staging).toBe('/stage/x');
  });

  test('header of CSV parts: not for Hive, unless asked', async () => {
    const header = async (options: string) => {
      const { format } = (await read(minimal({ sink: `format: { type: csv, ${options} }` }))).sink;
      return format.type === 'csv' && format.header;
    };
    expect(await header('dialect: standard')).toBe(true);
    expect(await header('dialect: hive')).toBe(false);
    expect(await header('dialect: hive, header: true')).toBe(true);
  });

  test('partition fields and custom modules', async () => {
    const job = await read(
      minimal({
        sink: "bucket: { type: fields, fields: [country, { dt: 'ts:date' }, { k: 'a:b:value' }], keep_fields: true }\n  rolling: { type: custom, module: ./roll.js, options: { n: 1 } }",
      }),
    );
    expect(job.sink.bucket).toEqual({
      type: 'fields',
      keepFields: true,
      fields: [
        { name: 'country', column: 'country', transform: 'value' },
        { name: 'dt', column: 'ts', transform: 'date' },
        { name: 'k', column: 'a:b', transform: 'value' },
      ],
    });
    expect(job.sink.rolling).toEqual({ type: 'custom', module: '/jobs/roll.js', options: { n: 1 } });
  });

  test('a schema in a file of its own, YAML or JSON', async () => {
    const fields = [
      { name: 'id', type: { kind: 'int64' }, nullable: false },
      { name: 'tags', type: { kind: 'list', element: { kind: 'string' } }, nullable: true },
    ];
    const yaml = "- { name: id, type: bigint, nullable: false }\n- { name: tags, type: 'list<string>' }\n";
    const json = '[{"name":"id","type":"int64","nullable":false},{"name":"tags","type":"list<string>"}]';
    for (const [name, text] of [
      ['schema.yaml', yaml],
      ['schema.json', json],
    ] as const) {
      const job = await read(minimal({ format: `schema: ./${name}` }), {}, (fileSystem) =>
        fileSystem.put(`/jobs/${name}`, text),
      );
      expect(job.source.schema).toEqual({ fields });
    }
  });
});

describe('a wrong job: everything at once, each with its place', () => {
  test('unknown keys with the nearest known one', async () => {
    const text = DESIGN_JOB.replace('parallelism', 'paralelism')
      .replace('monitor_interval', 'monitorInterval')
      .replace('zone: UTC', 'zoen: UTC')
      .replace('retain', 'retian');
    expect(await messagesOf(text)).toEqual([
      "5:1 paralelism: unknown key, did you mean 'parallelism'?",
      "7:30 checkpoint.retian: unknown key, did you mean 'retain'?",
      "11:3 source.monitorInterval: unknown key, did you mean 'monitor_interval'?",
      "25:80 sink.bucket.zoen: unknown key, did you mean 'zone'?",
    ]);
  });

  test('a key that is like none lists those there are', async () => {
    expect(await messagesOf(minimal({ sink: 'part: { colour: red }' }))).toEqual([
      '10:11 sink.part.colour: unknown key (known here: prefix, suffix)',
    ]);
  });

  test('missing keys stand where their section does', async () => {
    expect(await messagesOf('version: 1\njob: x\nsource:\n  recursive: false\n')).toEqual([
      '1:1 sink: is missing: expected keys and values',
      '3:1 source.path: is missing: expected a folder, a file, a glob, or a list of them',
      '3:1 source.format: is missing: expected keys and values',
    ]);
  });

  test('values of every kind', async () => {
    const text = `version: 3
job: Web_Events
parallelism: 0
memory: 1
state:
checkpoint: { interval: 10 }
source:
  path: [gs://bucket/in, ~/in, s3://b, s3://bucket/a//b]
  min_age: -1s
  monitor_interval: 30d
  recursive: yes
  format: { type: csv, delimiter: ', ', schema: [{ name: a, type: 'list<strin>' }] }
sink:
  path: ./lake
  bucket: { type: datetime, zone: Mars/Base }
  rolling: { part_size: 12Mb }
  part: { prefix: .x, suffix: /y }
`;
    expect(await messagesOf(text)).toEqual([
      '1:10 version: expected 1',
      '2:6 job: expected a name of a-z, 0-9 and -, at most 63 characters',
      '3:14 parallelism: expected a whole number from 1 to 256',
      '4:9 memory: expected at least 64KiB',
      '5:7 state: is empty: expected a path',
      '6:25 checkpoint.interval: expected a duration such as 10s, 500ms, 5m, 1h or 7d',
      '8:10 source.path[0]: gs:// is not in this version: expected a path on this machine, or s3://bucket/prefix',
      "8:26 source.path[1]: '~' is not expanded: write ${HOME}/in",
      "8:32 source.path[2]: 'b' is no name of a bucket: expected s3://bucket/prefix",
      "8:40 source.path[3]: no '//' and no segments '.' and '..' in keys",
      '9:12 source.min_age: expected a duration such as 10s, 500ms, 5m, 1h or 7d',
      '10:21 source.monitor_interval: expected at most 24d',
      '11:14 source.recursive: expected true or false',
      '12:35 source.format.delimiter: expected one ASCII character, as between two values',
      expect.stringMatching(/^12:67 source\.format\.schema\[0\]\.type: .*'strin' is not a type/),
      '15:35 sink.bucket.zone: expected a time zone such as UTC or Europe/Berlin',
      '16:25 sink.rolling.part_size: expected a size such as 64MiB, 128MB or 1024 (bytes)',
      '17:19 sink.part.prefix: readers skip names that begin with . or _',
      "17:31 sink.part.suffix: no '/', ':', '\\' and control characters in names of parts",
    ]);
  });

  test.each([
    [
      'source.format.type',
      minimal().replace('type: ndjson', 'type: orc'),
      /expected ndjson, csv, text, parquet, avro, arrow or json, not 'orc'/,
    ],
    [
      'source.format.on_type_mismatch',
      minimal({ format: 'on_type_mismatch: quarantine' }),
      /needs `quarantine: \{path: ...\}`/,
    ],
    [
      'source.format.on_bad_record',
      minimal({ format: 'on_bad_record: quarantine' }),
      /needs `quarantine: \{path: ...\}`/,
    ],
    ['sink.format.type', minimal({ sink: 'format: { type: orc }' }), /'orc' is not in this version/],
    [
      'sink.path',
      minimal().replace('path: ./lake', 'path: gs://bucket/lake'),
      /gs:\/\/ is not in this version/,
    ],
    ['state', minimal({ top: 'state: hdfs://host/state' }), /hdfs:\/\/ is not in this version/],
  ])('what later versions bring is refused by name: %s', async (path, text, message) => {
    const problems = await problemsOf(text);
    expect(problems.map((each) => each.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });

  test.each([
    [
      'state where two processes cannot be kept apart',
      minimal({ top: 'state: s3://bucket/state\ns3: { conditional_writes: false }' }),
      's3.conditional_writes',
      /conditional writes/,
    ],
    [
      'a Delta table where two writers cannot be kept apart',
      minimal({ sink: 'table: { type: delta }', top: 's3: { conditional_writes: false }' }).replace(
        './lake',
        's3://bucket/lake',
      ),
      's3.conditional_writes',
      /Delta table/,
    ],
    [
      'a key without its encryption',
      minimal({ top: 's3: { kms_key: k }' }),
      's3.kms_key',
      /encryption: aws:kms/,
    ],
    [
      'parts of too many pieces',
      minimal({ sink: 'rolling: { part_size: 100GiB }' }).replace('./lake', 's3://bucket/lake'),
      's3.part_bytes',
      /raise it/,
    ],
    ['staging elsewhere', minimal({ sink: 'staging: s3://bucket/staging' }), 'sink.staging', /same storage/],
    [
      'event time without a field',
      minimal({ sink: 'bucket: { type: datetime, time: event }' }),
      'sink.bucket.time',
      /event_time/,
    ],
    [
      'event time from a column that is not there',
      minimal({ top: 'event_time: { field: ts }', format: 'schema: [{ name: at, type: timestamp }]' }),
      'event_time.field',
      /no column 'ts' \(it has at\)/,
    ],
    [
      'event time from a struct',
      minimal({ top: 'event_time: { field: s }', format: "schema: [{ name: s, type: 'struct<a:int64>' }]" }),
      'event_time.field',
      /a struct holds no time/,
    ],
    [
      'a partition by a column that is not there',
      minimal({
        sink: 'bucket: { type: fields, fields: [b] }',
        format: 'schema: [{ name: a, type: string }]',
      }),
      'sink.bucket.fields[0]',
      /no column 'b'/,
    ],
    [
      'a date of text',
      minimal({
        sink: "bucket: { type: fields, fields: [{ dt: 'a:date' }] }",
        format: 'schema: [{ name: a, type: string }]',
      }),
      'sink.bucket.fields[0]',
      /'date' needs a timestamp or a date/,
    ],
    [
      'two folders of one name',
      minimal({ sink: "bucket: { type: fields, fields: [a, { a: 'b' }] }" }),
      'sink.bucket.fields[1]',
      /two levels/,
    ],
    [
      'a column twice',
      minimal({ format: 'schema: [{ name: a, type: string }, { name: a, type: int64 }]' }),
      'source.format.schema[1]',
      /stands twice/,
    ],
    [
      'CSV without names',
      minimal().replace('type: ndjson', 'type: csv, header: false'),
      'source.format.header',
      /name the columns/,
    ],
    [
      'CSV with names twice over',
      minimal().replace('type: ndjson', 'type: csv, columns: [a]'),
      'source.format.columns',
      /header/,
    ],
    [
      'CSV columns that lack one of the schema',
      minimal().replace(
        'type: ndjson',
        'type: csv, header: false, columns: [a], schema: [{ name: b, type: string }]',
      ),
      'source.format.schema[0]',
      /not among/,
    ],
    [
      'CSV with one character for two things',
      minimal().replace('type: ndjson', `type: csv, delimiter: '"'`),
      'source.format.delimiter',
      /same character/,
    ],
    [
      'text parts of several columns',
      minimal({
        sink: 'format: { type: text }',
        format: 'schema: [{ name: a, type: string }, { name: b, type: string }]',
      }),
      'sink.format',
      /there are 2/,
    ],
    [
      'zstd by parquetjs',
      minimal({ sink: 'format: { type: parquet, engine: parquetjs, compression: zstd }' }),
      'sink.format.compression',
      /parquetjs writes/,
    ],
    [
      'a folder for files that were read, within the source',
      minimal({ source: 'after_commit: { move: ./in/done }' }),
      'source.after_commit.move',
      /would be read again/,
    ],
    [
      'deleting files that grow',
      minimal({ source: 'modified: append\n  after_commit: delete' }),
      'source.after_commit',
      /have to be kept/,
    ],
    [
      'following CSV with line ends in values',
      minimal({ source: 'modified: append' }).replace('ndjson', 'csv'),
      'source.modified',
      /quoted_newlines: false/,
    ],
    [
      'following what is no lines',
      minimal({ source: 'modified: append' }).replace('ndjson', 'json'),
      'source.modified',
      /json files cannot be followed/,
    ],
    [
      'following what is compressed',
      minimal({ source: 'modified: append', format: 'compression: gzip' }),
      'source.modified',
      /gzip cannot be followed/,
    ],
  ])('parts that do not fit: %s', async (_, text, path, message) => {
    const problems = await problemsOf(text);
    expect(problems.map((each) => each.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });

  test('the message names the file, every place and the remedy', async () => {
    const error = await read(minimal({ source: 'modifed: ignore' })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message:
        "/jobs/job.yaml has a problem:\n  line 6, column 3: source.modifed: unknown key, did you mean 'modified'?",
      hint: expect.stringContaining('docs/job-file.md'),
    });
  });
});

describe('neither lake nor state is input', () => {
  const withFolders = (fileSystem: MemoryFileSystem) => {
    for (const folder of ['/jobs/in', '/jobs/in/lake', '/jobs/lake']) fileSystem.addFolder(folder);
  };
  const job = (
    sourcePath: string,
    sinkPath: string,
    more: { source?: string; sink?: string; top?: string } = {},
  ) =>
    minimal(more).replace('path: ./in', `path: ${sourcePath}`).replace('path: ./lake', `path: ${sinkPath}`);

  test.each([
    ['the source itself', job('./in', './in')],
    ['below the source', job('./in', './in/lake')],
    ['below a glob', job("'./in/**'", './in/lake')],
    ['below one of several', job('[./other, ./in]', './in/lake')],
    ['what is included', job('./in', './in/lake', { source: "include: ['**/*.parquet']" })],
  ])('the lake lies in %s', async (_, text) => {
    expect(await messagesOf(text, {}, withFolders)).toEqual([
      expect.stringMatching(/sink\.path: .*read the parts/),
    ]);
  });

  test.each([
    ['beside it', job('./in', './lake')],
    ['a folder whose name begins alike', job('./in', './in-lake')],
    ['excluded', job('./in', './in/lake', { source: "exclude: ['lake/**']" })],
    ['not included', job('./in', './in/lake', { source: "include: ['**/*.ndjson']" })],
    ['not recursive', job('./in', './in/lake', { source: 'recursive: false' })],
    ['hidden', job('./in', './in/_lake')],
  ])('the lake may be %s', async (_, text) => {
    await expect(read(text, {}, withFolders)).resolves.toBeDefined();
  });

  test('the state lies in the source, or in the lake', async () => {
    expect(await messagesOf(job('./in', './lake', { top: 'state: ./in/state' }), {}, withFolders)).toEqual([
      expect.stringMatching(/^3:8 state: .*job's own state/),
    ]);
    expect(await messagesOf(job('./in', './lake', { top: 'state: ./lake/state' }), {}, withFolders)).toEqual([
      expect.stringMatching(/^3:8 state: .*lies in the lake/),
    ]);
    await expect(
      read(job('./in', './lake', { top: 'state: ./lake/_state' }), {}, withFolders),
    ).resolves.toBeDefined();
  });

  test("a source that is not there yet is not the job file's problem", async () => {
    await expect(read(minimal())).resolves.toBeDefined();
  });
});

describe('the environment', () => {
  test('fills in values of every kind, with defaults', async () => {
    const text = minimal({
      top: 'parallelism: ${N}\nstate: "${ROOT}/state/${SUB:-a:b}"\nmemory: ${MEM:-1GiB}',
    }).replace('job: x', 'job: ${NAME}-${STAGE:-test}');
    const job = await read(text, { N: '3', ROOT: '/data', NAME: 'a', STAGE: '' });
    expect(job).toMatchObject({
      name: 'a-test',
      parallelism: 3,
      memoryBytes: 2 ** 30,
      statePath: '/data/state/a:b/a-test',
    });
  });

  test('what is missing is named, with its place, beside all other problems', async () => {
    expect(await messagesOf(minimal({ top: 'state: ${STATE}\nmemory: ${MEM}\nfoo: 1' }))).toEqual([
      '3:8 : the environment variable STATE is not set (${STATE:-default} would give it a default)',
      '4:9 : the environment variable MEM is not set (${MEM:-default} would give it a default)',
      expect.stringMatching(/^5:1 foo: unknown key/),
    ]);
  });

  test.each(['${', '${1A}', '${A-b}', '${A:?}', '${A B}', '${}', 'x ${A', '${__proto__}', '${constructor}'])(
    '%s is refused',
    async (reference) => {
      const problems = await problemsOf(minimal({ top: `state: '${reference}'` }), { A: 'a' });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ line: 3, column: 8 });
    },
  );

  test.each([
    'a: b\nc: [1, {',
    '[1',
    '{x: y}',
    '# no comment',
    '&a *a',
    '"quoted',
    '${OTHER}',
    '!!js/function x',
    '---',
    'null',
    '~',
    '\u0000'.replace('\u0000', 'x\ty'),
    'line\nline',
    '__proto__',
  ])('a value of %j is text, and nothing else', async (nasty) => {
    const value = { OTHER: 'never', V: nasty };
    const job = await read(
      minimal({ sink: 'bucket: { type: custom, module: m, options: { a: "${V}", b: ["${V}"] } }' }),
      value,
    );
    expect(job.sink.bucket).toEqual({ type: 'custom', module: '/jobs/m', options: { a: nasty, b: [nasty] } });
    const plain = await read(
      minimal({ sink: 'bucket:\n    type: custom\n    module: m\n    options: ${V}' }),
      value,
    );
    expect(plain.sink.bucket).toEqual({ type: 'custom', module: '/jobs/m', options: nasty });
  });

  test('any text of the environment comes through unchanged', async () => {
    const text = minimal({ sink: 'bucket: { type: custom, module: m, options: "<${V}>" }' });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (value) => {
        const job = await read(text, { V: value });
        expect(job.sink.bucket).toMatchObject({ options: `<${value}>` });
      }),
      { numRuns: 50 },
    );
  });

  test('keys are not filled in, $${ is a literal ${', async () => {
    const job = await read(
      minimal({ sink: "bucket: { type: custom, module: m, options: { '${V}': '$${V} $V ${V}' } }" }),
      {
        V: 'v',
      },
    );
    expect(job.sink.bucket).toMatchObject({ options: { '${V}': '${V} $V v' } });
  });

  test('it cannot bring in more than its share', async () => {
    const text = minimal({
      sink: `bucket: { type: custom, module: m, options: [${'"${V}",'.repeat(2000)}] }`,
    });
    expect((await problemsOf(text, { V: 'x'.repeat(100_000) }))[0]?.message).toMatch(
      /more than a million characters/,
    );
  });
});

describe('hostile files', () => {
  test.each([
    ['no YAML', 'a: [1', /must be sufficiently indented and end with a \]/],
    ['a duplicate key', 'version: 1\njob: x\njob: y\n', /the key 'job' stands twice/],
    ['two documents', 'version: 1\n---\nversion: 1\n', /a second YAML document/],
    ['an unknown tag', 'version: !!js/function "x"\n', /Unresolved tag/],
    ['an alias of nothing', 'version: *one\n', /no anchor &one/],
    ['an alias of itself', 'version: &a [*a]\n', /stands inside of another anchor/],
    ['a key that is a list', '? [a, b]\n: 1\n', /keys must be strings/],
    ['nesting beyond the bound', `a: ${'['.repeat(40)}${']'.repeat(40)}\n`, /nested deeper than 32 levels/],
    ['nesting beyond the stack', '['.repeat(20_000), /nested deeper than 32 levels/],
    ['an empty file', '', /is empty: expected keys and values/],
    ['a list', '- 1\n', /expected keys and values/],
    ['no UTF-8', Uint8Array.of(0x61, 0xff, 0xfe), /not UTF-8/],
    ['binary data', Uint8Array.from({ length: 512 }, (_, i) => (i * 7) % 128), /./],
  ])('%s', async (_, text, message) => {
    expect((await problemsOf(text))[0]?.message).toMatch(message);
  });

  test('a billion values in a few lines', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`);
    const text = `a0: &a0 [x]\n${levels.join('\n')}\n`;
    expect((await problemsOf(text))[0]?.message).toMatch(/stands inside of another anchor/);
  });

  test('many aliases of one value', async () => {
    const text = `a: &a [x]\nb: [${'*a,'.repeat(200)}]\n`;
    expect((await problemsOf(text))[0]?.message).toMatch(/more than 100 aliases/);
  });

  test('an alias in its place is fine', async () => {
    const job = await read(minimal({ top: 'state: &root /data', sink: 'staging: *root' }));
    expect(job.sink.staging).toBe('/data');
  });

  test('a file of data named by mistake is not read', async () => {
    const error = await read('x'.repeat(1024 * 1024 + 1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'JOB_INVALID', message: expect.stringContaining('1048577 bytes') });
  });

  test('__proto__ is an unknown key like any other, and pollutes nothing', async () => {
    const text = minimal({
      sink: '__proto__: { polluted: true }\n  constructor: { prototype: { polluted: true } }',
    });
    expect((await problemsOf(text)).map((problem) => problem.path)).toEqual([
      'sink.__proto__',
      'sink.constructor',
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('more problems than anybody reads are cut, and counted', async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `key${i}: 1`).join('\n');
    const error = (await read(text).catch((thrown: unknown) => thrown)) as SluiceError;
    expect(error.message).toMatch(/has 2004 problems/);
    expect(error.message.split('\n')).toHaveLength(52);
  });

  test('a job file that is not there', async () => {
    const fileSystem = new MemoryFileSystem(new ManualClock());
    await expect(readJob(FILE, { fileSystem, environment: {}, parallelism: 1 })).rejects.toMatchObject({
      code: 'USAGE',
      message: `the job file ${FILE} does not exist`,
    });
  });

  test('a schema file that is not there', async () => {
    expect(await messagesOf(minimal({ format: 'schema: s.yaml' }))).toEqual([
      '7:35 source.format.schema: the schema file /jobs/s.yaml does not exist',
    ]);
  });

  test('problems of a schema file name that file', async () => {
    const error = await read(minimal({ format: 'schema: s.yaml' }), {}, (fileSystem) =>
      fileSystem.put('/jobs/s.yaml', '- {name: a, typ: int64}\n'),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringMatching(/^\/jobs\/s\.yaml has 2 problems:/),
    });
  });
});

describe('printing', () => {
  test.each([
    ['the example', DESIGN_JOB],
    [
      'text that looks like a reference',
      minimal({ sink: "bucket: { type: custom, module: './a $${X}', options: { a: '$${Y}' } }" }),
    ],
    [
      'everything that is optional',
      minimal({
        top: 'event_time: { field: ts, unit: us }',
        source: 'modified: append\n  on_replaced: fail\n  rotation: copytruncate',
        sink: "staging: ./s\n  part: { prefix: 'a b', suffix: .pq }\n  bucket: { type: fields, fields: [c, { b: 'ts:hour' }] }\n  rolling: { max_rows: 5, on_checkpoint: true }\n  format: { type: csv, null_text: 'null', dialect: hive, delimiter: \"\\t\" }",
      }).replace(
        'type: ndjson,',
        "type: csv, header: false, columns: [ts, a, c], null_text: '~', delimiter: ';', quote: \"'\", quoted_newlines: false, schema: [{ name: ts, type: timestamp(us) }, { name: a, type: 'struct<`x y`:decimal(5,2)>', nullable: false }, { name: c, type: string }],",
      ),
    ],
  ])('a printed job is the same job: %s', async (_, text) => {
    const job = await read(text);
    expect(await read(jobToYaml(job))).toEqual(job);
  });

  test.each([
    ['on this machine', minimal({ top: 'event_time: { field: ts }' })],
    ['in object stores', minimal({ top: 's3: { region: r }' }).replace('./lake', 's3://bucket/lake')],
    ['with everything beside the sink', minimal({ sink: 'compaction: {}\n  table: { type: delta }' })],
  ])('a printed job has every key that has a default: %s', async (_, text) => {
    const printed: unknown = parse(jobToYaml(await read(text)));
    expect(defaultsLeftOut(jsonSchema(), printed)).toEqual([]);
  });

  test('an inferred schema is written out', async () => {
    const job = await read(minimal());
    const printed = jobToYaml(job, { fields: [{ name: 'id', type: { kind: 'int64' }, nullable: true }] });
    expect(printed).toContain('- name: id\n');
    expect((await read(printed)).source.schema).toEqual({
      fields: [{ name: 'id', type: { kind: 'int64' }, nullable: true }],
    });
  });
});

/** Keys of sections that are given, or have a default themselves, which have a default and are not given. */
function defaultsLeftOut(schema: JsonSchema, given: unknown, path = ''): string[] {
  const { properties, oneOf } = schema as { properties?: Record<string, JsonSchema>; oneOf?: JsonSchema[] };
  if (typeof given !== 'object' || given === null) return [];
  const values = given as Record<string, unknown>;
  if (oneOf !== undefined) {
    const chosen = oneOf.find((option) => typeOf(option) === values.type);
    return chosen === undefined ? [] : defaultsLeftOut(chosen, given, path);
  }
  return Object.entries(properties ?? {}).flatMap(([key, option]) => {
    const at = `${path}/${key}`;
    if (key in values) return defaultsLeftOut(option, values[key], at);
    // The keys of object stores are of no use to a job that has none.
    return 'default' in option && at !== '/s3' ? [at] : [];
  });
}

function typeOf(option: JsonSchema): unknown {
  return (option as { properties: { type: { const?: unknown } } }).properties.type.const;
}
