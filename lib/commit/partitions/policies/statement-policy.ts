/** Partitions in the metastore by way of Trino or Presto, so that their caches know too. */
import type { Clock } from '../../../core/clock.ts';
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { StatementPolicySpec } from '../../../core/specs.ts';
import { keysOf, locationOf } from './partition-keys.ts';
import { runStatement, sqlText } from './statement-client.ts';

/**
 * sync: `sync_partition_metadata(..., 'ADD')`, once for all partitions at hand; the engine lists the table's folder.
 * register (Trino): `register_partition` for each; the catalog needs `hive.allow-register-partition-procedure=true`.
 */
export function statementPolicy(
  spec: StatementPolicySpec,
  sinkPath: string,
  clock: Clock,
): PartitionCommitPolicy {
  const run = (sql: string, signal: AbortSignal) =>
    runStatement({ ...spec, engine: spec.type }, sql, clock, signal);
  const table = `${sqlText(spec.schema)}, ${sqlText(spec.table)}`;
  if (spec.method === 'sync') {
    return {
      async commit(partitions, signal) {
        for (const partition of partitions) keysOf(partition);
        await run(`CALL system.sync_partition_metadata(${table}, 'ADD')`, signal);
      },
    };
  }
  return {
    async commit(partitions, signal) {
      for (const partition of partitions) {
        const sql = `CALL system.register_partition(${table}, ${namesAndValues(partition)}, ${sqlText(locationOf(partition, spec.location, sinkPath))})`;
        try {
          await run(sql, signal);
        } catch (error) {
          // Done before: this is a repeated announcement, or one of late rows.
          if (!(error instanceof Error && /already (?:registered|exists)/i.test(error.message))) throw error;
        }
      }
    },
  };
}

function namesAndValues(partition: CommittedPartition): string {
  const keys = keysOf(partition);
  const array = (texts: readonly string[]) => `ARRAY[${texts.map(sqlText).join(', ')}]`;
  return `${array(keys.map(({ key }) => key))}, ${array(keys.map(({ metastoreValue }) => metastoreValue))}`;
}
