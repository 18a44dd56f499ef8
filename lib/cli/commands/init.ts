/** `sluice init`: a commented job file, from a look at a folder of data. */
import path from 'node:path';
import { s3FromEnvironment } from '../../config/compile-s3.ts';
import { SluiceError } from '../../core/errors.ts';
import type { CommandContext, InitCommandOptions } from '../commands.ts';
import { counted, humanBytes } from '../human.ts';
import { lookAtFolder } from '../init/data-folder.ts';
import { jobTemplate } from '../init/job-template.ts';

/** @throws SluiceError NOT_FOUND; USAGE where the job file exists, or nothing in the folder can be read */
export async function init(
  given: string,
  options: InitCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const fileSystem = await io.openFileSystem(s3FromEnvironment(io.environment));
  const folder = path.resolve(io.workingFolder, given);
  const toStdout = options.output === '-';
  const file = path.resolve(io.workingFolder, toStdout ? 'job.yaml' : options.output);
  // Before the folder is read: that may take a while.
  if (!toStdout && options.force !== true && (await fileSystem.stat(file)) !== null) throw exists(file);
  const data = await lookAtFolder(folder, fileSystem).catch((thrown: unknown) => {
    if (!(thrown instanceof SluiceError) || thrown.code !== 'NOT_FOUND') throw thrown;
    // Its hint is for those who have a job file.
    throw new SluiceError('NOT_FOUND', thrown.message, {
      hint: 'give the folder with the data',
      cause: thrown,
    });
  });
  const paths = {
    file: path.basename(file),
    data: relativeTo(path.dirname(file), folder),
    state: './state',
    lake: './lake',
  };
  const text = jobTemplate(path.basename(folder), paths, data);
  const found = { format: data.format.type, files: data.files, bytes_in: data.bytes };
  if (toStdout) {
    if (output.json) output.document({ written: null, job_file: text, ...found });
    else output.text(text);
    return;
  }
  const bytes = new TextEncoder().encode(text);
  if (options.force === true) await fileSystem.replace(file, bytes);
  else if (!(await fileSystem.createExclusive(file, bytes))) throw exists(file);
  if (output.json) output.document({ written: file, ...found });
  output.note(
    `${file} is written, for ${counted(data.files, 'file')} of ${data.format.type} (${humanBytes(data.bytes)})`,
  );
  output.note(`next: look through it, then \`sluice check ${options.output}\``);
}

function exists(file: string): SluiceError {
  return new SluiceError('USAGE', `${file} exists already`, {
    hint: 'choose another name with -o, or replace it with --force',
  });
}

function relativeTo(from: string, to: string): string {
  const relative = path.relative(from, to);
  return relative === '' ? '.' : relative.startsWith('..') ? relative : `./${relative}`;
}
