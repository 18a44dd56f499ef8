import { appendFileSync } from 'node:fs';

export function createPartitionCommitPolicy({ file }) {
  return {
    async commit(partitions) {
      for (const partition of partitions) appendFileSync(file, `${JSON.stringify(partition)}\n`);
    },
  };
}
