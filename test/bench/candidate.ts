/** Who takes part in a benchmark, and what it leaves. */
import type { Events } from './web-events.ts';

export type OutputFormat = 'parquet' | 'ndjson';

export interface Candidate {
  readonly name: string;
  /** Name of the candidate that it is held against. */
  readonly versus: string | null;
  /** Whether what it leaves is a lake, which is looked at. Default: yes. */
  readonly makesLake?: boolean;
  /** What is run. Default: node, which is measured by a hook; another program has to account for itself. */
  readonly program?: string;
  /** Prepares an empty folder; the lake will lie in `lake` below it. Gives the arguments of the program. */
  prepare(folder: string, input: Events | null): Promise<readonly string[]>;
}
