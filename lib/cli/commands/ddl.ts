/** `sluice ddl`: the lake as a table of an engine. */
import { CheckpointStore } from '../../commit/checkpoint-store.ts';
import type { Clock } from '../../core/clock.ts';
import type { CompiledJob } from '../../core/compiled-job.ts';
import type { Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';
import { firstSchema } from '../../pipeline/first-schema.ts';
import { baseColumns } from '../../pipeline/schema-registry.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import { rowSchema } from '../../transform/row-transform.ts';
import type { CommandContext, DdlCommandOptions } from '../commands.ts';
import { createTable } from '../ddl/create-table.ts';
import { ENGINES } from '../ddl/query-engine.ts';
import { tableOf } from '../ddl/table.ts';
import { loadJob } from './load-job.ts';

export async function ddl(
  file: string,
  options: DdlCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const engine = ENGINES.find((each) => each === options.engine);
  if (engine === undefined) {
    throw new SluiceError('USAGE', `there is no DDL for '${options.engine}'`, {
      hint: `--engine takes ${ENGINES.join(', ')}`,
    });
  }
  const { job, fileSystem } = await loadJob(file, io);
  const table = tableOf(job, await schemaOf(job, fileSystem, io.clock), {
    schema: options.schema,
    name: options.table ?? job.name.replaceAll('-', '_'),
    location: options.location ?? null,
    partitionedBy: options.partitionedBy?.split(',').map((name) => name.trim()) ?? null,
  });
  const { statements, warnings } = createTable(engine, table);
  for (const warning of warnings) output.warning(warning);
  if (output.json) output.document({ engine, statements, warnings });
  else output.text(`${statements.join(';\n\n')};`);
}

/** What the part files have: as the state says, or as a first start would find it. */
async function schemaOf(job: CompiledJob, fileSystem: FileSystem, clock: Clock): Promise<Schema> {
  const newest = await new CheckpointStore(fileSystem, job.statePath).load();
  const schema = newest?.schema ?? (await firstSchema(job, fileSystem, clock));
  if (schema !== null) return rowSchema(job, schema, baseColumns(schema, newest?.schemaHistory ?? []));
  throw new SluiceError('SCHEMA_UNKNOWN', 'there is no file yet that the columns could be learnt from', {
    hint: 'give source.format.schema, or put a file into the source',
  });
}
