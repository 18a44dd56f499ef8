/** What becomes of a listed file, given what is known of it. A pure decision, made by the scan and again when it is taken. */
import { unreachable } from '../core/errors.ts';

/** `source.modified` of the job. */
export type ModifiedPolicy = 'ignore' | 'reread' | 'append' | 'fail';

/**
 * take: nothing was read of it · same: it was taken as it is · ignore: it changed, and the change is noted, not read ·
 * reread: it is taken again, whole · append: what was added is read, if the rest is unchanged · fail: the job stops
 */
export type Verdict = 'take' | 'same' | ModifiedPolicy;

/** @param matches whether size and modification time are those it was taken with; null where it is not known */
export function judge(matches: boolean | null, policy: ModifiedPolicy): Verdict {
  if (matches === null) return 'take';
  if (matches) return 'same';
  switch (policy) {
    case 'ignore':
    case 'reread':
    case 'append':
    case 'fail':
      return policy;
    default:
      return unreachable(policy);
  }
}
