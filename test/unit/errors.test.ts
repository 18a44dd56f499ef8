import { expect, test } from 'vitest';
import { type ErrorCode, SluiceError } from '../../lib/core/errors.ts';

test("a code that only a user's module knows ends the program as a fault that we do not know", () => {
  const { code, exitCode, domain } = new SluiceError('MY_CODE' as ErrorCode, 'mine');
  const internal = new SluiceError('INTERNAL', 'ours');
  expect({ code, exitCode, domain }).toEqual({
    code: 'MY_CODE',
    exitCode: internal.exitCode,
    domain: internal.domain,
  });
});
