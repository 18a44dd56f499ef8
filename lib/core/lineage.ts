/** The columns that tell where a row comes from. What each of them means is in docs/lineage.md. */
import type { Field } from './data-type.ts';
import type { LineageName } from './specs.ts';

export const LINEAGE_COLUMNS: Readonly<Record<LineageName, Field>> = {
  file: { name: '_source_file', type: { kind: 'string' }, nullable: true },
  offset: { name: '_source_offset', type: { kind: 'int64' }, nullable: true },
  line: { name: '_source_line', type: { kind: 'int64' }, nullable: true },
  ingested_at: { name: '_ingested_at', type: { kind: 'timestamp', unit: 'ms' }, nullable: true },
  checkpoint: { name: '_checkpoint', type: { kind: 'int64' }, nullable: true },
};
