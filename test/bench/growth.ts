/** How cost grows: one job, and inputs that grow in one thing while the rest stays as it is. */
import type { EventsShape } from './web-events.ts';

export interface Growth {
  readonly name: string;
  readonly about: string;
  /** What grows. */
  readonly of: string;
  readonly points: readonly { readonly x: number; readonly input: EventsShape }[];
}

const BASE: EventsShape = { rows: 1_000_000, format: 'ndjson', order: 'time', hours: 24 };

function growth(
  of: string,
  about: string,
  values: readonly number[],
  input: (x: number) => EventsShape,
): Growth {
  return { name: `growth-${of}`, about, of, points: values.map((x) => ({ x, input: input(x) })) };
}

export const GROWTHS: readonly Growth[] = [
  growth('rows', 'NDJSON to 24 hourly folders of Parquet, ever more rows', [1e6, 2e6, 5e6, 10e6], (rows) => ({
    ...BASE,
    rows,
  })),
  growth(
    'buckets',
    '1,000,000 rows in random order over ever more folders',
    [10, 100, 1000, 10_000],
    (hours) => ({
      ...BASE,
      order: 'random',
      hours,
    }),
  ),
  growth('files', '1,000,000 rows in ever more files', [10, 100, 1000, 10_000, 100_000], (files) => ({
    ...BASE,
    files,
  })),
  growth('columns', '100,000 rows of ever more columns', [5, 10, 20, 50, 100, 200], (columns) => ({
    ...BASE,
    rows: 100_000,
    columns,
  })),
];
