/** What of the source, as the coordinator knows it, goes into a checkpoint: all of one synchronous moment. */
import type { SourceCapture } from '../commit/checkpoint-coordinator.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { SplitEnumerator } from '../source/split-enumerator.ts';
import type { SchemaRegistry } from './schema-registry.ts';

/** @param isReplay whether quarantined records are read, not the source @param all discovery as a whole, not what is new of it */
export function captureSource(
  enumerator: SplitEnumerator,
  schemas: SchemaRegistry,
  job: CompiledJob,
  isReplay: boolean,
  all: boolean,
): SourceCapture {
  return {
    enumerator: enumerator.snapshot(),
    assigned: enumerator.assigned,
    givenUp: enumerator.takeGivenUp(),
    discovery: captureDiscovery(enumerator, all),
    schema: schemas.schema,
    schemaHistory: schemas.state.history,
    columns: schemas.columns,
    // What a replay reads says nothing of which files the source has.
    forgetting: isReplay
      ? null
      : {
          isForgotten: (path) => enumerator.isForgotten(path),
          followed: job.source.modified === 'append',
        },
  };
}

/** The moment's discovery entries: all of them, or those since the last capture. */
function captureDiscovery(enumerator: SplitEnumerator, all: boolean): Uint8Array {
  // The delta is taken in both cases: what a snapshot holds must not come again in the next delta.
  const delta = enumerator.takeDiscoveryDelta();
  return all ? enumerator.discoverySnapshot() : delta;
}
