import { SluiceError } from '../core/errors.ts';

export function shutdownTimeout(timeoutMs: number): SluiceError {
  return new SluiceError('SHUTDOWN_TIMEOUT', `stopping took longer than shutdown_timeout (${timeoutMs} ms)`, {
    hint: 'nothing is lost: the next start goes on from the last checkpoint. Raise shutdown_timeout if the storage is slow',
  });
}
