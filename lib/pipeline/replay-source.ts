import type { SourceSpec } from '../core/compiled-job.ts';

/** What a replay lists: one folder of ours, whose files are whole and never change. */
export function replaySource(source: SourceSpec, folder: string | null): SourceSpec {
  return {
    ...source,
    paths: folder === null ? [] : [folder],
    include: [],
    exclude: [],
    recursive: false,
    modified: 'ignore',
    onReplaced: 'ignore',
    rotation: 'rename',
    minAgeMs: 0,
  };
}
