/** What a run takes over from the checkpoint it begins with. */
import type { Checkpoint } from '../commit/checkpoint.ts';
import type { WithoutDropped } from '../commit/dropped-partitions.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { SinkState } from '../sink/sink-state.ts';
import type { Split } from '../source/split.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { readWholeSegment, type SegmentPiece } from '../storage/segment-file.ts';
import type { JobEvent } from './progress.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { SubtaskConfig } from './subtask-config.ts';

/**
 * Sink states for the subtasks of this run, whose number may have changed: state i goes to subtask i modulo their
 * number. Part names stay unique, since every subtask counts on above the highest counter of all.
 */
function shareSinkStates(states: readonly (SinkState | null)[], subtasks: number): SinkState[][] {
  const nextCounter = Math.max(0, ...states.map((state) => state?.nextCounter ?? 0));
  return Array.from({ length: subtasks }, (_, subtask) => [
    { nextCounter, openParts: [] },
    ...states.filter((state, index): state is SinkState => state !== null && index % subtasks === subtask),
  ]);
}

/** What the subtasks of a run begin with. */
export function subtaskConfigs(
  job: CompiledJob,
  base: Checkpoint,
  schemas: SchemaRegistry,
  run: Pick<SubtaskConfig, 'runId' | 'segmentsFolder' | 'replay'>,
): SubtaskConfig[] {
  const sinks = shareSinkStates(
    base.subtasks.map(({ sink }) => sink),
    job.parallelism,
  );
  const quarantines = shareSinkStates(
    base.subtasks.map(({ quarantine }) => quarantine ?? null),
    job.parallelism,
  );
  const restoredKeys = base.subtasks.find(({ keys }) => keys !== undefined)?.keys;
  return sinks.map((restored, subtask) => ({
    ...run,
    subtask,
    job,
    jobId: base.jobId,
    schema: schemas.schema,
    schemaVersion: schemas.version,
    baseColumns: schemas.baseColumns,
    memoryBytes: Math.floor(job.memoryBytes / job.parallelism),
    checkpointId: base.id,
    restored,
    restoredQuarantine: quarantines[subtask]!,
    ...(restoredKeys === undefined ? {} : { restoredKeys }),
    firstCheckpointId: base.id + 1,
  }));
}

/** Splits that subtasks were reading: they go back to the enumerator, at their positions. */
export function openSplits(base: Checkpoint): Split[] {
  return base.subtasks.flatMap(({ splits }) => splits);
}

/** The pieces of the table of known files, in order. @throws SluiceError STATE_CORRUPT */
export async function readDiscovery(
  fileSystem: FileSystem,
  segmentsFolder: string,
  pieces: readonly SegmentPiece[],
): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  for (const piece of pieces) {
    const bytes = await readWholeSegment(fileSystem, segmentsFolder, piece, {
      holds: 'which files were taken',
      hint: 'restore the state folder from a backup; starting without it would double rows',
    });
    read.push(bytes);
  }
  return read;
}

/** That a start goes on without what was dropped. */
export function droppedWarning({ parts, promised, folders }: Omit<WithoutDropped, 'base'>): JobEvent {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return {
    type: 'warning',
    code: 'partition-dropped',
    message: `dropped: ${folders.join(', ')}, with open parts: ${parts.length} (rows: ${rows}), promised parts: ${promised}; sluice verify --accept-missing accounts for them`,
  };
}
