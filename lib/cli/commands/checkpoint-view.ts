/** A checkpoint as people read it: for `status` and `inspect`. */
import type { PartitionState } from '../../commit/partitions/partition-state.ts';
import type { CheckpointSummary } from '../../commit/status.ts';
import { counted, humanBytes, humanCount, humanDuration } from '../human.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import { renderTable } from '../table.ts';

export function renderCheckpoint(checkpoint: CheckpointSummary, style: Style): string {
  const { totals, schema } = checkpoint;
  const facts: [string, string][] = [
    [
      'checkpoint',
      `${checkpoint.id}, ${humanDuration(checkpoint.ageMs)} old (${isoTime(checkpoint.createdMs)})`,
    ],
    ['job id', checkpoint.jobId],
    ['subtasks', humanCount(checkpoint.subtasks)],
    ['files done', `${humanCount(totals.files)} (${humanBytes(totals.bytesIn)} read)`],
    [
      'rows',
      [
        humanCount(totals.rows),
        ...(totals.rejected === 0 ? [] : [`${humanCount(totals.rejected)} rejected`]),
        ...((totals.filtered ?? 0) === 0 ? [] : [`${humanCount(totals.filtered ?? 0)} filtered out`]),
        ...((totals.duplicates ?? 0) === 0
          ? []
          : [`${humanCount(totals.duplicates ?? 0)} of them duplicates`]),
        ...((totals.quarantined ?? 0) === 0 ? [] : [`${humanCount(totals.quarantined ?? 0)} quarantined`]),
        ...((totals.replayed ?? 0) === 0 ? [] : [`${humanCount(totals.replayed ?? 0)} of them replayed`]),
        ...(totals.late === 0 ? [] : [`${humanCount(totals.late)} late`]),
      ].join(', '),
    ],
    ...(checkpoint.watermarkMs === null
      ? []
      : [['event time', `watermark ${isoTime(checkpoint.watermarkMs)}`] satisfies [string, string]]),
    ['parts', `${humanCount(totals.parts)} (${humanBytes(totals.bytesOut)})`],
    ...(totals.missingFiles === 0
      ? []
      : [['vanished', counted(totals.missingFiles, 'file')] satisfies [string, string]]),
    ['schema', schema === null ? 'not known yet' : schemaText(schema)],
  ];
  return [
    facts.map(([name, value]) => `${style.dim(name.padEnd(12))}${printable(value)}`).join('\n'),
    section(style, 'files under way', checkpoint.splits.length, () =>
      renderTable(
        [{ title: 'file' }, { title: 'at', align: 'right' }, { title: 'of', align: 'right' }],
        checkpoint.splits.map((split) => [
          split.path,
          humanBytes(split.offsetBytes),
          split.endBytes === null ? '' : humanBytes(split.endBytes),
        ]),
      ),
    ),
    section(style, 'open parts', checkpoint.openParts.length, () =>
      renderTable(
        [
          { title: 'bucket' },
          { title: 'rows', align: 'right' },
          { title: 'durable', align: 'right' },
          { title: 'in segments', align: 'right' },
        ],
        checkpoint.openParts.map((part) => [
          part.bucket === '' ? '.' : part.bucket,
          humanCount(part.rows),
          humanBytes(part.durableBytes),
          humanBytes(part.segmentBytes),
        ]),
      ),
    ),
    section(style, 'pending parts', checkpoint.pendingParts.length, () =>
      renderTable(
        [{ title: 'part' }, { title: 'rows', align: 'right' }, { title: 'size', align: 'right' }],
        checkpoint.pendingParts.map((part) => [part.path, humanCount(part.rows), humanBytes(part.bytes)]),
      ),
    ),
    ...(checkpoint.partitions === null ? [] : renderPartitions(checkpoint.partitions, style)),
  ].join('\n');
}

function renderPartitions({ pending, promised }: PartitionState, style: Style): string[] {
  return [
    section(style, 'partitions not due yet', pending.length, () =>
      renderTable(
        [{ title: 'partition' }, { title: 'rows', align: 'right' }, { title: 'parts', align: 'right' }],
        pending.map(({ bucketId, rows, parts }) => [bucketId, humanCount(rows), humanCount(parts)]),
      ),
    ),
    section(style, 'partitions being announced', promised.length, () =>
      renderTable(
        [
          { title: 'partition' },
          { title: 'since', align: 'right' },
          { title: 'failures', align: 'right' },
          { title: 'last error' },
        ],
        promised.map(({ bucketId, checkpoint, attempts, error }) => [
          bucketId,
          `checkpoint ${checkpoint}`,
          humanCount(attempts),
          error ?? '',
        ]),
      ),
    ),
  ];
}

function section(style: Style, title: string, count: number, render: () => string): string {
  const heading = `${style.bold(title)}: ${count === 0 ? 'none' : humanCount(count)}`;
  return count === 0 ? heading : `${heading}\n${indented(render())}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function schemaText(schema: NonNullable<CheckpointSummary['schema']>): string {
  return schema.map(({ name, type, nullable }) => `${name} ${type}${nullable ? '' : ' not null'}`).join(', ');
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
