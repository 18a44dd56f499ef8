/** Every benchmark by name: an input, and who takes part. */
import type { Candidate, OutputFormat } from './candidate.ts';
import { copy } from './copy-candidate.ts';
import { duckDb, duckDbName } from './duckdb-candidate.ts';
import { flink, flinkName } from './flink-candidate.ts';
import { sluice } from './sluice-candidate.ts';
import type { EventsShape } from './web-events.ts';

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** null: no input at all. */
  readonly input: EventsShape | null;
  /** Steady state: each candidate runs over this smaller input, too, and the figures are what the rest took. */
  readonly beyond?: EventsShape;
  readonly output: OutputFormat;
  candidates(profiles: string | null): readonly Candidate[];
}

const events = (over: Partial<EventsShape> = {}): EventsShape => ({
  rows: 1_000_000,
  format: 'ndjson',
  order: 'time',
  hours: 24,
  ...over,
});

/** Runs of the candidates that stay in one process: the first of them does not count. */
const RUNS = 4;

/** sluice against DuckDB, each with one and two threads, the columns declared and found out, cold and warm. */
function parquetCandidates(profiles: string | null): readonly Candidate[] {
  const warm = { threads: 1, way: 'declared', runs: RUNS } as const;
  const cold = [1, 2].flatMap((threads) => {
    const versus = duckDbName({ threads, way: 'sniffed' });
    const base = { parallelism: threads, output: 'parquet', versus, profiles } as const;
    return [
      sluice({ ...base, declared: true }),
      sluice({ ...base, declared: false }),
      duckDb({ threads, way: 'sniffed', versus: null }),
      duckDb({ threads, way: 'declared', versus }),
    ];
  });
  return [
    ...cold,
    sluice({
      parallelism: 1,
      output: 'parquet',
      declared: true,
      versus: duckDbName(warm),
      profiles,
      runs: RUNS,
    }),
    duckDb({ ...warm, versus: null }),
  ];
}

function linesCandidates(profiles: string | null): readonly Candidate[] {
  const others = [1, 2].flatMap((threads) => {
    const versus = duckDbName({ threads, way: 'lines' });
    return [
      sluice({ parallelism: threads, output: 'ndjson', declared: true, versus, profiles }),
      duckDb({ threads, way: 'lines', versus: null }),
    ];
  });
  return [...others, copy()];
}

function checkpointCandidates(profiles: string | null): readonly Candidate[] {
  const rare = 'sluice, 1, no checkpoint but the last';
  const base = { parallelism: 1, output: 'parquet', declared: true, profiles } as const;
  return [
    sluice({ ...base, label: rare, checkpointInterval: '1h', versus: null }),
    sluice({ ...base, label: 'sluice, 1, each second', checkpointInterval: '1s', versus: rare }),
    sluice({ ...base, label: 'sluice, 1, each 200 ms', checkpointInterval: '200ms', versus: rare }),
  ];
}

/** What does the same, exactly once, from the same kind of job: Flink, as a stream and as a batch. */
function flinkCandidates(profiles: string | null): readonly Candidate[] {
  const versus = flinkName({ parallelism: 1, mode: 'streaming' });
  return [
    sluice({ parallelism: 1, output: 'parquet', declared: true, versus, profiles }),
    flink({ parallelism: 1, mode: 'streaming', versus: null }),
    flink({ parallelism: 1, mode: 'batch', versus }),
  ];
}

function startupCandidates(profiles: string | null): readonly Candidate[] {
  const bare: Candidate = { name: 'node -e 0', versus: null, prepare: async () => ['-e', '0'] };
  return [
    bare,
    sluice({
      parallelism: 1,
      output: 'parquet',
      declared: true,
      versus: bare.name,
      label: 'sluice backfill, empty folder',
      profiles,
    }),
  ];
}

export const BENCHES: readonly Bench[] = [
  {
    name: 'parquet-1m',
    about: 'NDJSON to hourly folders of snappy Parquet',
    input: events(),
    output: 'parquet',
    candidates: parquetCandidates,
  },
  {
    name: 'parquet-4m',
    about: 'the same, 4,000,000 rows',
    input: events({ rows: 4_000_000 }),
    output: 'parquet',
    candidates: parquetCandidates,
  },
  {
    name: 'parquet-random',
    about: 'the same rows in random order: each batch has rows of all 24 folders',
    input: events({ order: 'random' }),
    output: 'parquet',
    candidates: parquetCandidates,
  },
  {
    name: 'buckets-1k',
    about: 'rows in random order over 1,000 hourly folders',
    input: events({ order: 'random', hours: 1000 }),
    output: 'parquet',
    candidates: parquetCandidates,
  },
  {
    name: 'buckets-10k',
    about: '2,000,000 rows in random order over 10,000 hourly folders, within 256 MiB',
    input: events({ rows: 2_000_000, order: 'random', hours: 10_000 }),
    output: 'parquet',
    candidates: (profiles) => [
      sluice({ parallelism: 1, output: 'parquet', declared: true, versus: null, profiles }),
    ],
  },
  {
    name: 'pass-through',
    about: 'NDJSON to hourly folders of NDJSON, each line as it is',
    input: events(),
    output: 'ndjson',
    candidates: linesCandidates,
  },
  {
    name: 'pass-through-4m',
    about: 'the same, 4,000,000 rows',
    input: events({ rows: 4_000_000 }),
    output: 'ndjson',
    candidates: linesCandidates,
  },
  {
    name: 'csv-parquet',
    about: 'CSV to hourly folders of snappy Parquet',
    input: events({ format: 'csv' }),
    output: 'parquet',
    candidates: parquetCandidates,
  },
  {
    name: 'flink-1m',
    about: "NDJSON to hourly folders of snappy Parquet, next to Flink's FileSource and FileSink",
    input: events(),
    output: 'parquet',
    candidates: flinkCandidates,
  },
  {
    name: 'flink-steady',
    about: 'the same in steady state: what 12,000,000 rows take beyond 4,000,000',
    input: events({ rows: 12_000_000 }),
    beyond: events({ rows: 4_000_000 }),
    output: 'parquet',
    candidates: flinkCandidates,
  },
  {
    name: 'checkpoint',
    about: 'what checkpoints cost: 4,000,000 rows of NDJSON to Parquet',
    input: events({ rows: 4_000_000 }),
    output: 'parquet',
    candidates: checkpointCandidates,
  },
  {
    name: 'startup',
    about: 'from the start until the exit, with nothing to do',
    input: null,
    output: 'parquet',
    candidates: startupCandidates,
  },
];
