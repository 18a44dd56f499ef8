/** The job file that a command was given. */
import path from 'node:path';
import { type JobFile, readJobFile } from '../../config/read-job.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import type { CliIo } from '../io.ts';

export function loadJob(file: string, io: CliIo, fileSystem: FileSystem): Promise<JobFile> {
  return readJobFile(path.resolve(io.workingFolder, file), {
    fileSystem,
    environment: io.environment,
    parallelism: io.parallelism,
  });
}
