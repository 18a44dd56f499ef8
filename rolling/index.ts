/**
 * `sluice/rolling`: when a part file is closed and the next one begun.
 *
 * {@link defaultRollingPolicy} goes by size, age and inactivity, {@link onCheckpointRollingPolicy} by checkpoints,
 * {@link maxRowsRollingPolicy} by rows, {@link watermarkRollingPolicy} by event time; {@link anyOf} combines them. Your own: implement `RollingPolicy`, Flink's three
 * questions over a read-only `PartFileInfo`.
 */
import type { RollingPolicy } from '../lib/core/rolling-policy.ts';
import type { RollingSpec } from '../lib/core/specs.ts';
import { anyOf } from './any-of.ts';
import { loadRollingPolicy } from './custom.ts';
import { defaultRollingPolicy } from './default.ts';
import { watermarkRollingPolicy } from './watermark.ts';

export type { PartFileInfo, RollingPolicy } from '../lib/core/rolling-policy.ts';
export type { RollingSpec } from '../lib/core/specs.ts';
export { anyOf } from './any-of.ts';
export { checkedPolicy, loadRollingPolicy } from './custom.ts';
export { type DefaultRollingOptions, defaultRollingPolicy } from './default.ts';
export { maxRowsRollingPolicy } from './max-rows.ts';
export { onCheckpointRollingPolicy } from './on-checkpoint.ts';
export { watermarkRollingPolicy } from './watermark.ts';

/** The policy that a job's `sink.rolling` describes. @throws SluiceError JOB_INVALID */
export async function createRollingPolicy(spec: RollingSpec): Promise<RollingPolicy> {
  switch (spec.type) {
    case 'default': {
      const policy = defaultRollingPolicy(spec);
      if (spec.watermarkDelayMs === null) return policy;
      return anyOf(policy, watermarkRollingPolicy(spec.watermarkDelayMs));
    }
    case 'custom':
      return loadRollingPolicy(spec.module, spec.options);
  }
}
