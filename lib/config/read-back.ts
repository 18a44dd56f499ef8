/**
 * A job that reads what it wrote never ends, and doubles every row with each turn. So neither the lake nor the state
 * may lie where the source would find it; and the state not where readers of the lake would.
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import { isHiddenName, type SourceRoot } from '../source/file-selector.ts';
import type { Problem } from './problems.ts';

/** @param roots what the source lists */
export function findReadBack(job: CompiledJob, roots: readonly SourceRoot[]): Problem[] {
  const problems: Problem[] = [];
  const { sink, statePath } = job;
  const lake = roots.find((root) => partNames(job).some((name) => reads(root, `${sink.path}/${name}`)));
  if (lake !== undefined) {
    problems.push({
      path: ['sink', 'path'],
      message: `the source reads ${lake.folder} and would read the parts written to ${sink.path} back: move one of them, or exclude it`,
    });
  }
  const stateFiles = ['checkpoints/0000000001.checkpoint', 'segments/1-0.segment'];
  const state = roots.find((root) => stateFiles.some((name) => reads(root, `${statePath}/${name}`)));
  if (state !== undefined) {
    problems.push({
      path: ['state'],
      message: `the source reads ${state.folder} and would take the job's own state in ${statePath} for input: move it, or exclude it`,
    });
  }
  if (sink.staging !== null && [sink.path, statePath].includes(sink.staging)) {
    problems.push({ path: ['sink', 'staging'], message: 'expected a folder of its own' });
  }
  const inLake = below(sink.path, statePath);
  if (inLake !== null && !inLake.split('/').some(isHiddenName)) {
    problems.push({
      path: ['state'],
      message: `the state lies in the lake (${statePath}), where readers would take it for data: move it out`,
    });
  }
  return [...problems, ...quarantineReadBack(job, roots)];
}

/** Refused records are no input, and no rows of the lake. */
function quarantineReadBack({ quarantine, sink }: CompiledJob, roots: readonly SourceRoot[]): Problem[] {
  if (quarantine === null) return [];
  const part = `${quarantine.path}/quarantine-00000000-0-0${usualSuffix(quarantine.format)}`;
  const root = roots.find((each) => reads(each, part));
  const inLake = below(sink.path, quarantine.path);
  const path = ['quarantine', 'path'];
  return [
    ...(root === undefined
      ? []
      : [
          {
            path,
            message: `the source reads ${root.folder} and would read what was refused back: move it, or exclude it`,
          },
        ]),
    ...(inLake === null || inLake.split('/').some(isHiddenName)
      ? []
      : [
          {
            path,
            message: `lies in the lake (${sink.path}), where readers would take what was refused for rows: move it out`,
          },
        ]),
  ];
}

/** Names that parts may have, relative to the sink's path, at some depths of buckets. */
function partNames({ sink }: CompiledJob): string[] {
  const name = `${sink.partPrefix}-00000000-0-0${sink.partSuffix ?? usualSuffix(sink.format)}`;
  return ['', 'b/', 'b/b/', 'b/b/b/'].map((bucket) => bucket + name);
}

function usualSuffix(format: CompiledJob['sink']['format']): string {
  const compression = { none: '', gzip: '.gz', zstd: '.zst' };
  switch (format.type) {
    case 'parquet':
    case 'avro':
      return `.${format.type}`;
    case 'arrow':
      return '.arrows';
    case 'text':
      return `.txt${compression[format.compression]}`;
    default:
      return `.${format.type}${compression[format.compression]}`;
  }
}

/** Whether a root would take a file of this path for input. */
function reads(root: SourceRoot, path: string): boolean {
  const relative = below(root.folder, path);
  if (relative === null) return false;
  const segments = relative.split('/');
  for (let depth = 1; depth < segments.length; depth++) {
    if (!root.options.enterFolder(segments.slice(0, depth).join('/'))) return false;
  }
  return root.options.wantFile(relative);
}

/** A path relative to a folder; null where it is not in it. */
function below(folder: string, path: string): string | null {
  if (path === folder) return '';
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}
