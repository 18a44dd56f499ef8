/** The job file that a command was given. */
import path from 'node:path';
import { s3FromEnvironment } from '../../config/compile-s3.ts';
import { type JobFile, readJobFile } from '../../config/read-job.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import type { CliIo } from '../io.ts';

export interface LoadedJob extends JobFile {
  /** Where its paths are. */
  readonly fileSystem: FileSystem;
}

export async function loadJob(file: string, io: CliIo): Promise<LoadedJob> {
  let fileSystem = await io.openFileSystem(s3FromEnvironment(io.environment));
  const jobFile = await readJobFile(path.resolve(io.workingFolder, file), {
    fileSystem,
    environment: io.environment,
    parallelism: io.parallelism,
    storageOf: async ({ s3 }) => {
      fileSystem = await io.openFileSystem(s3);
      return fileSystem;
    },
  });
  return { ...jobFile, fileSystem };
}
