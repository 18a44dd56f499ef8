/** How much may be taken until the next checkpoint: `source.limits`. A file is taken whole, so bytes may exceed by one. */
import type { SourceLimits } from '../core/compiled-job.ts';

export class TakeQuota {
  readonly #files: number;
  readonly #bytes: number;
  #filesTaken = 0;
  #bytesTaken = 0;

  constructor({ filesPerCheckpoint, bytesPerCheckpoint }: SourceLimits) {
    this.#files = filesPerCheckpoint ?? Number.POSITIVE_INFINITY;
    this.#bytes = bytesPerCheckpoint ?? Number.POSITIVE_INFINITY;
  }

  /** @param looking files that may be taken any moment */
  allows(looking: number): boolean {
    return this.#filesTaken + looking < this.#files && this.#bytesTaken < this.#bytes;
  }

  take(bytes: number): void {
    this.#filesTaken++;
    this.#bytesTaken += bytes;
  }

  reset(): void {
    this.#filesTaken = 0;
    this.#bytesTaken = 0;
  }
}
