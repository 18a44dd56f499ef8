/** The keys of `quarantine` in a job file. */
import { byType, location, section } from './options.ts';
import { ndjson, parquet, rolling } from './sink-section.ts';

export const quarantineSection = section({
  path: location().describe(
    'folder for refused records; made if it is not there. Neither in `source.path` nor in `sink.path`',
  ),
  format: byType([ndjson, parquet], ['ndjson', 'parquet'])
    .prefault({ type: 'ndjson' })
    .describe('how they are written; NDJSON has the record itself in base64'),
  rolling: rolling.prefault({}).describe('when a part is closed and the next one begun'),
});
