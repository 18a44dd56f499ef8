/** What a job that follows files cannot have. */
import type { CompiledJob } from '../core/compiled-job.ts';
import { isS3Location } from '../core/location.ts';
import type { InputFormatSpec } from '../core/specs.ts';
import type { Problem } from './problems.ts';

/** Files that would be taken once, and whose later lines nobody would read. */
export function* append({ source }: CompiledJob): Iterable<Problem> {
  if (source.modified !== 'append') return;
  if (source.afterCommit.kind !== 'keep') {
    yield {
      path: ['source', 'after_commit'],
      message: 'files that are followed (`modified: append`) have no end: they have to be kept',
    };
  }
  const path = ['source', 'modified'];
  if (source.paths.some(isS3Location))
    yield { path, message: 'objects do not grow: each is written whole. Choose ignore, reread or fail' };
  const why = whyNotFollowed(source.format);
  if (why !== null) yield { path, message: why };
}

/** null: lines that are added can be told from those before. */
function whyNotFollowed(format: InputFormatSpec): string | null {
  const { type, compression } = format;
  if (compression !== 'auto' && compression !== 'none')
    return `files with ${compression} cannot be followed: only plain lines can. Choose ignore, reread or fail`;
  if (type === 'ndjson' || type === 'text') return null;
  if (type !== 'csv')
    return `${type} files cannot be followed: only lines can. Choose ignore, reread or fail`;
  return format.quotedNewlines
    ? 'CSV whose values may hold line ends cannot be followed: set `format.quoted_newlines: false`, or choose ignore, reread or fail'
    : null;
}
