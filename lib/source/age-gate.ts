/**
 * `min_age`: a file is taken once its last change is that long ago, so that one being written is left alone.
 *
 * Clocks disagree: a file server's may be ahead of ours, ours may be set back. A modification time in the future says
 * nothing about the age, so such a file is taken once it was *seen* unchanged for `min_age` on the monotonic clock.
 */
import type { Clock } from '../core/clock.ts';
import type { FileStatus } from '../storage/file-system.ts';

interface Sighting {
  readonly sizeBytes: number;
  readonly modifiedNs: bigint;
  readonly sinceMs: number;
}

const NS_PER_MS = 1_000_000n;

export class AgeGate {
  readonly #minAgeMs: number;
  readonly #clock: Clock;
  /** Files from the future, by path: those of the last scan, so bounded by what one listing shows. */
  #before = new Map<string, Sighting>();
  #sightings = new Map<string, Sighting>();

  constructor(minAgeMs: number, clock: Clock) {
    this.#minAgeMs = minAgeMs;
    this.#clock = clock;
  }

  beginScan(): void {
    this.#before = this.#sightings;
    this.#sightings = new Map();
  }

  /** Milliseconds until the file is old enough; 0 when it is. */
  remainingMs(file: FileStatus): number {
    if (this.#minAgeMs === 0) return 0;
    const ageMs = this.#clock.now() - Number(file.modifiedNs / NS_PER_MS);
    if (ageMs >= 0) return Math.max(0, this.#minAgeMs - ageMs);
    const { sizeBytes, modifiedNs } = file;
    // Of this scan where it was looked at since.
    const before = this.#sightings.get(file.path) ?? this.#before.get(file.path);
    const unchanged =
      before !== undefined && before.sizeBytes === sizeBytes && before.modifiedNs === modifiedNs;
    const sighting = unchanged ? before : { sizeBytes, modifiedNs, sinceMs: this.#clock.elapsed() };
    this.#sightings.set(file.path, sighting);
    return Math.max(0, this.#minAgeMs - (this.#clock.elapsed() - sighting.sinceMs));
  }
}
