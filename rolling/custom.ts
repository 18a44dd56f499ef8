/** Rolling policies written by users. */
import { SluiceError } from '../lib/core/errors.ts';
import { createExtension, hasMethod } from '../lib/core/extension-module.ts';
import type { PartFileInfo, RollingPolicy } from '../lib/core/rolling-policy.ts';

/**
 * Checks what a user's policy answers: a promise would count as yes, and roll at each row. Without `rowsUntilRoll` it is
 * asked before every single row, as in Flink; that is exact, and slow.
 */
export function checkedPolicy(policy: RollingPolicy): RollingPolicy {
  return {
    shouldRollOnEvent: (part) => answer('shouldRollOnEvent', () => policy.shouldRollOnEvent(part)),
    shouldRollOnCheckpoint: (part) =>
      answer('shouldRollOnCheckpoint', () => policy.shouldRollOnCheckpoint(part)),
    shouldRollOnProcessingTime: (part, nowMs) =>
      answer('shouldRollOnProcessingTime', () => policy.shouldRollOnProcessingTime(part, nowMs)),
    shouldRollOnWatermark: (part, watermarkMs) =>
      answer('shouldRollOnWatermark', () => policy.shouldRollOnWatermark?.(part, watermarkMs) ?? false),
    rowsUntilRoll: (part) => rowsUntilRoll(policy, part),
  };
}

function answer(question: string, ask: () => unknown): boolean {
  const given = asked(question, ask);
  if (typeof given === 'boolean') return given;
  throw new SluiceError('JOB_INVALID', `the rolling policy answered ${question} with a ${typeof given}`, {
    hint: 'answer true or false, not a promise',
  });
}

function rowsUntilRoll(policy: RollingPolicy, part: PartFileInfo): number {
  if (policy.rowsUntilRoll === undefined) return 1;
  const rows = asked('rowsUntilRoll', () => policy.rowsUntilRoll?.(part));
  if (typeof rows === 'number' && rows >= 1) return rows;
  throw new SluiceError('JOB_INVALID', `the rolling policy answered rowsUntilRoll with ${String(rows)}`, {
    hint: 'answer a number from 1 on, Infinity where rows do not matter',
  });
}

function asked(question: string, ask: () => unknown): unknown {
  try {
    return ask();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('JOB_INVALID', `the rolling policy failed in ${question}: ${why}`, { cause });
  }
}

/**
 * Loads `{ type: custom, module, options }`: the module exports `createRollingPolicy(options)`, which gives a RollingPolicy
 * (or a promise of one), or such an object itself.
 * @param module absolute path
 * @throws SluiceError JOB_INVALID
 */
export async function loadRollingPolicy(module: string, options: unknown): Promise<RollingPolicy> {
  const policy = await createExtension(module, 'createRollingPolicy', options);
  if (
    hasMethod(policy, 'shouldRollOnEvent') &&
    hasMethod(policy, 'shouldRollOnCheckpoint') &&
    hasMethod(policy, 'shouldRollOnProcessingTime')
  ) {
    return checkedPolicy(policy as RollingPolicy);
  }
  throw new SluiceError('JOB_INVALID', `${module} gives no rolling policy`, {
    details: { module },
    hint: 'a policy has shouldRollOnEvent, shouldRollOnCheckpoint and shouldRollOnProcessingTime',
  });
}
