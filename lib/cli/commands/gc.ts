/** `sluice gc`: which leftovers a job may still need, and away with those it cannot. */
import { collectGarbage, type GarbageReport, type JudgedFile } from '../../commit/gc/collect-garbage.ts';
import { runnerOf } from '../../commit/runner.ts';
import type { CommandContext, GcCommandOptions } from '../commands.ts';
import { counted, humanBytes, humanDuration } from '../human.ts';
import { renderTable } from '../table.ts';
import { loadJob } from './load-job.ts';

export async function gc(
  file: string,
  { dryRun, minAge }: GcCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const report = await collectGarbage({
    job,
    fileSystem,
    clock: io.clock,
    lockOwner: () => runnerOf(job.statePath, fileSystem),
    dryRun: dryRun === true,
    minAgeMs: minAge,
  });
  if (output.json) output.document(documentOf(job.name, report));
  else {
    if (report.files.length > 0) output.answer(renderFiles(report));
    output.answer(sentenceOf(job.name, report));
  }
}

function documentOf(job: string, { running, newestCheckpoint, files }: GarbageReport): object {
  const orphans = files.filter(({ verdict }) => verdict.kind === 'orphan');
  const removed = files.filter(({ outcome }) => outcome === 'removed');
  return {
    job,
    running,
    checkpoint: newestCheckpoint,
    files: files.map(({ path, area, sizeBytes, ageMs, verdict, outcome }) => {
      const why = 'why' in verdict ? { why: verdict.why } : {};
      const checkpoint = 'checkpointId' in verdict ? { checkpoint: verdict.checkpointId } : {};
      return {
        path,
        area,
        bytes: sizeBytes,
        age_ms: ageMs,
        verdict: verdict.kind,
        ...checkpoint,
        ...why,
        outcome,
      };
    }),
    orphans: orphans.length,
    removed: removed.length,
    removed_bytes: sumBytes(removed),
  };
}

/** Orphans first: the table is cut after some lines, and they are what was asked for. */
function renderFiles({ files, running }: GarbageReport): string {
  const rank = ({ verdict }: JudgedFile) => (verdict.kind === 'orphan' ? 0 : 1);
  return renderTable(
    [
      { title: 'file' },
      { title: 'size', align: 'right' },
      { title: 'age', align: 'right' },
      { title: 'verdict' },
      { title: '' },
    ],
    [...files]
      .sort((a, b) => rank(a) - rank(b))
      .map((file) => [
        file.path,
        humanBytes(file.sizeBytes),
        humanDuration(file.ageMs),
        verdictText(file, running?.processId ?? null),
        file.outcome === 'kept' ? '' : file.outcome,
      ]),
  );
}

function verdictText({ verdict }: JudgedFile, processId: number | null): string {
  switch (verdict.kind) {
    case 'in use':
      return processId === null
        ? 'in use, perhaps: the process does not answer'
        : `in use by process ${processId}`;
    case 'promised':
      return `promised by checkpoint ${verdict.checkpointId}`;
    case 'resumable':
      return `resumable from checkpoint ${verdict.checkpointId}`;
    case 'kept':
    case 'orphan':
      return `${verdict.kind}: ${verdict.why}`;
    case 'not ours':
      return 'not ours';
  }
}

function sentenceOf(job: string, { files }: GarbageReport): string {
  const of = (outcome: JudgedFile['outcome']) => files.filter((file) => file.outcome === outcome);
  const told = (count: readonly JudgedFile[], what: string) =>
    `${counted(count.length, 'orphan')} ${what} (${humanBytes(sumBytes(count))})`;
  const parts = [
    ...(of('would remove').length > 0 ? [told(of('would remove'), 'would be removed')] : []),
    ...(of('would remove').length === 0 || of('removed').length > 0 ? [told(of('removed'), 'removed')] : []),
    ...(of('too young').length > 0 ? [told(of('too young'), 'younger than --min-age')] : []),
    `${counted(of('kept').length, 'file')} kept`,
  ];
  return `${job}: ${parts.join(', ')}`;
}

function sumBytes(files: readonly JudgedFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
