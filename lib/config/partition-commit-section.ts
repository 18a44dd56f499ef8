/** The keys of `sink.partition_commit` in a job file. */
import * as z from 'zod';
import { TEN_YEARS_MS } from './bounds.ts';
import {
  byType,
  choice,
  duration,
  integer,
  matching,
  moduleOptions,
  path,
  section,
  text,
} from './options.ts';

/** Without user and password: the URL is shown. */
const url = (schemes: string, example: string) => {
  const takes = `a URL such as ${example}, without user and password`;
  const pattern = new RegExp(`^(?:${schemes})://(?![^/?#]*@)[^\\s/]+`);
  return matching(pattern, takes).refine((value) => URL.canParse(value), { error: `expected ${takes}` });
};
const timeout = () => duration(1).prefault('30s').describe('how long one call may take');
const headers = () =>
  z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'is no name of a header' }), text())
    .prefault({})
    .register(z.globalRegistry, { title: 'names and values' })
    .describe('sent along, such as `Authorization`; take values from the environment');
const location = () =>
  text()
    .optional()
    .describe('the folder of the table as the engine sees it; default: `file://` and `sink.path`');
const table = () => text('the name of a table').describe('the table, there already: see `sluice ddl`');

const successFile = section({
  type: z
    .literal('success_file')
    .describe('a file in the partition, with rows, parts and checkpoint as JSON'),
  name: matching(/^[._][^/\p{Cc}]{0,100}$/u, 'a name that begins with _ or ., which readers skip')
    .prefault('_SUCCESS')
    .describe('name of the file'),
});

const metastore = section({
  type: z.literal('metastore').describe('adds the partition to a Hive metastore, over Thrift'),
  url: url('thrift', 'thrift://metastore:9083').describe('where the metastore listens'),
  database: text().prefault('default').describe('the database of the table'),
  table: table(),
  location: location(),
  timeout: timeout(),
});

/** Trino and Presto speak the same. */
function statement<const Type extends 'trino' | 'presto'>(type: Type, about: string) {
  return {
    type: z.literal(type).describe(about),
    url: url('https?', 'http://trino:8080').describe('the coordinator'),
    user: text().prefault('sluice').describe('the user of the statements'),
    catalog: text().prefault('hive').describe('catalog of the table'),
    schema: text().prefault('default').describe('schema of the table'),
    table: table(),
    location: location(),
    headers: headers(),
    timeout: timeout(),
  };
}

const trino = section({
  ...statement('trino', 'adds the partition by a statement on Trino'),
  method: choice(['register', 'sync'])
    .prefault('register')
    .describe(
      '`register`: `register_partition` for each (`hive.allow-register-partition-procedure=true`); `sync`: `sync_partition_metadata` lists the whole table',
    ),
});

const presto = section(statement('presto', 'adds the partition by `sync_partition_metadata` on Presto'));

const webhook = section({
  type: z.literal('webhook').describe('POSTs the partition as JSON; any 2xx is success'),
  url: url('https?', 'https://host/path').describe('where to'),
  headers: headers(),
  timeout: timeout(),
});

const command = section({
  type: z.literal('command').describe('runs a program with the partition as JSON on its standard input'),
  command: z
    .array(text(), { error: 'expected a list: the program and its arguments' })
    .min(1, { error: 'names no program' })
    .describe('the program and its arguments; `{path}` and `{partition}` are filled in, no shell is between'),
  timeout: timeout(),
});

const custom = section({
  type: z.literal('custom').describe('a PartitionCommitPolicy of yours'),
  module: path('the path of a module').describe(
    'JavaScript module that exports `createPartitionCommitPolicy(options)`, or has it as its default export',
  ),
  options: moduleOptions.describe('what the module is given'),
});

const policy = byType(
  [successFile, metastore, trino, presto, webhook, command, custom],
  ['success_file', 'metastore', 'trino', 'presto', 'webhook', 'command', 'custom'],
);

export const partitionCommit = section({
  trigger: choice(['process_time', 'partition_time'])
    .prefault('process_time')
    .describe(
      '`process_time`: when the first part of the partition is `delay` old; `partition_time`: when the watermark is `delay` past the start of its time',
    ),
  delay: duration(0, TEN_YEARS_MS)
    .prefault('0s')
    .describe('see `trigger`; with `partition_time` at least how long a partition lasts, such as 1h'),
  policies: z
    .array(policy, { error: 'expected a list of policies' })
    .min(1, { error: 'names no policy' })
    .max(16, { error: 'at most 16 policies' })
    .describe('what is done for each partition, in this order'),
  retry: section({
    attempts: integer(1, 1000)
      .prefault(10)
      .describe('how often a partition is tried before it is given up until the next start'),
    min_backoff: duration(1).prefault('1s').describe('the wait after the first failure; doubles each time'),
    max_backoff: duration(1).prefault('1m').describe('the longest wait'),
  })
    .prefault({})
    .describe('what happens when a policy fails'),
});
