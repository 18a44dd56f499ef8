import {
  anyOf,
  checkedPolicy,
  defaultRollingPolicy,
  maxRowsRollingPolicy,
  onCheckpointRollingPolicy,
} from '../../rolling/index.ts';
import { rollingPolicySuite } from './suites/rolling-policy.ts';

rollingPolicySuite('default', async () => defaultRollingPolicy());
rollingPolicySuite('default, with all of its options', async () =>
  defaultRollingPolicy({
    partSizeBytes: 1000,
    rolloverIntervalMs: 100,
    inactivityIntervalMs: 10,
    maxRows: 50,
    onCheckpoint: true,
  }),
);
rollingPolicySuite('on checkpoint', async () => onCheckpointRollingPolicy());
rollingPolicySuite('max rows', async () => maxRowsRollingPolicy(100));
rollingPolicySuite('any of', async () => anyOf(maxRowsRollingPolicy(7), defaultRollingPolicy()));
rollingPolicySuite('custom', async () =>
  checkedPolicy({
    shouldRollOnEvent: (part) => part.rows >= 2,
    shouldRollOnCheckpoint: () => false,
    shouldRollOnProcessingTime: (part, nowMs) => nowMs - part.lastUpdateTimeMs >= 60_000,
  }),
);
