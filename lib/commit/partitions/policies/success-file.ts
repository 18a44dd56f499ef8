/** `_SUCCESS` in each partition: readers skip it, and schedulers wait for it. Flink: SuccessFileCommitPolicy. */
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { FileSystem } from '../../../storage/file-system.ts';

/** What the file says: all rows and parts of this job in the partition, up to its newest announcement. */
export interface SuccessFile {
  readonly version: 1;
  readonly job: string;
  readonly jobId: string;
  readonly rows: number;
  readonly parts: number;
  readonly checkpoint: number;
}

/** @param name file name; readers skip names that begin with `_` or `.` */
export function successFilePolicy(fileSystem: FileSystem, name: string): PartitionCommitPolicy {
  return {
    async commit(partitions) {
      for (const partition of partitions) await write(fileSystem, `${partition.path}/${name}`, partition);
    },
  };
}

async function write(fileSystem: FileSystem, file: string, partition: CommittedPartition): Promise<void> {
  const { job, jobId, rows, parts, checkpoint } = partition;
  const before = parse(await fileSystem.readFile(file), jobId);
  // The checkpoint tells a repeated announcement from one of late rows.
  if (before !== null && before.checkpoint >= checkpoint) return;
  const content: SuccessFile = {
    ...{ version: 1, job, jobId },
    rows: (before?.rows ?? 0) + rows,
    parts: (before?.parts ?? 0) + parts,
    checkpoint,
  };
  await fileSystem.replace(file, Buffer.from(`${JSON.stringify(content)}\n`));
}

/** null where there is none of this job's: nothing, an empty file of Hadoop's, one of another job. */
function parse(bytes: Uint8Array | null, jobId: string): SuccessFile | null {
  if (bytes === null) return null;
  try {
    const content = JSON.parse(Buffer.from(bytes).toString()) as Partial<SuccessFile> | null;
    if (content === null || content.jobId !== jobId) return null;
    const { rows, parts, checkpoint } = content;
    if (![rows, parts, checkpoint].every(Number.isSafeInteger)) return null;
    return content as SuccessFile;
  } catch {
    return null;
  }
}
