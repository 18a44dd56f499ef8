/** `sluice verify`: whether everything that was read is where it belongs. */
import { SluiceError } from '../../core/errors.ts';
import { type VerifyReport, verifyJob } from '../../verify/verify-job.ts';
import type { CommandContext, VerifyCommandOptions } from '../commands.ts';
import { counted, humanBytes, humanCount } from '../human.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import { renderTable } from '../table.ts';
import { loadJob } from './load-job.ts';

/** Of dropped partitions, that are named. */
const MAX_FOLDERS = 5;

export async function verify(
  file: string,
  { deep = false, acceptMissing }: VerifyCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const report = await verifyJob({ job, fileSystem, deep, acceptMissing });
  if (output.json) output.document(report);
  else output.answer(renderReport(report, output.style));
  if (report.ok) return;
  const { findings } = report;
  const lines = findings.length === 1 ? '' : ` and ${counted(findings.length - 1, 'more finding')}`;
  throw new SluiceError('NOT_ACCOUNTED', `${findings[0]!.message}${lines}`, {
    hint: 'docs/data-quality.md says what each finding means and what to do about it',
    details: { findings: findings.length },
  });
}

function renderReport(report: VerifyReport, style: Style): string {
  const { source, lake, findings } = report;
  const numbers: [string, string][] = [
    ['checkpoint', `${report.checkpoint}${since(report)}`],
    ['source', sourceText(report)],
    ['records read', humanCount(source.records)],
    ...(source.replayed === 0 ? [] : [['  and replayed', humanCount(source.replayed)] as [string, string]]),
    ['  rows', humanCount(source.rows)],
    ['  rejected', humanCount(source.rejected)],
    ['  quarantined', humanCount(source.quarantined)],
    ...(source.filtered === 0 ? [] : [['  filtered out', humanCount(source.filtered)] as [string, string]]),
    ['parts', partsText(report)],
    ['  rows', humanCount(lake.rows)],
    ...(lake.open_rows === 0 ? [] : [['  in open parts', humanCount(lake.open_rows)] as [string, string]]),
    ...(lake.dropped_parts === 0 ? [] : [['  dropped', droppedText(report)] as [string, string]]),
    ...(lake.late_dropped === 0
      ? []
      : [['  late, dropped', humanCount(lake.late_dropped)] as [string, string]]),
    ...deepLines(report),
  ];
  const lines = numbers.map(([name, value]) => `${style.dim(name.padEnd(16))}${value}`);
  const verdict = report.ok
    ? style.green('every row that was read is accounted for, and nothing else is there')
    : renderTable(
        [{ title: 'finding' }, { title: '' }],
        findings.map(({ code, message }) => [code, message]),
      );
  const title = `${style.bold(report.job)} ${report.ok ? 'verified' : 'does not add up'}`;
  return [title, ...lines, verdict].join('\n');
}

function deepLines({ deep }: VerifyReport): [string, string][] {
  if (deep === undefined) return [];
  const left = deep.columns_left_out;
  const but = left.length === 0 ? '' : `, but for ${left.join(', ')}`;
  return [
    ['read again', counted(deep.files, 'source file')],
    [
      '  values',
      deep.compared ? `of ${counted(deep.rows, 'row')} compared${but}` : `not compared: ${deep.why_not}`,
    ],
  ];
}

function since({ since_checkpoint: first }: VerifyReport): string {
  return first === 1 ? '' : ` (not covered before checkpoint ${first}: there was no ledger yet)`;
}

function sourceText({ source }: VerifyReport): string {
  const { files, bytes, gone, to_be_read: changed } = source;
  return [
    `${counted(files, 'file')}, ${humanBytes(bytes)}`,
    ...(gone === 0 ? [] : [`${humanCount(gone)} not there any more`]),
    ...(changed === 0 ? [] : [`${humanCount(changed)} to be read again`]),
  ].join('; ');
}

function droppedText({ lake }: VerifyReport): string {
  const { dropped_partitions: folders, dropped_parts: parts, dropped_rows: rows } = lake;
  const more = folders.length > MAX_FOLDERS ? ', ...' : '';
  const names = printable(`${folders.slice(0, MAX_FOLDERS).join(', ')}${more}`);
  return `${counted(folders.length, 'partition')} with ${counted(parts, 'part')} and ${counted(rows, 'row')}: ${names}`;
}

function partsText({ lake }: VerifyReport): string {
  return [
    `${counted(lake.parts, 'part')} visible and whole`,
    ...(lake.pending_parts === 0 ? [] : [`${humanCount(lake.pending_parts)} about to be`]),
    ...(lake.quarantine_parts === 0 ? [] : [`${humanCount(lake.quarantine_parts)} of the quarantine`]),
    ...(lake.older_parts === 0 ? [] : [`${humanCount(lake.older_parts)} older than the ledger, not covered`]),
    ...(lake.foreign_parts === 0 ? [] : [`${humanCount(lake.foreign_parts)} of other jobs`]),
  ].join('; ');
}
