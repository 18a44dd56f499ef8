/** How far a time zone's clocks are ahead of UTC, for many instants. */
import { SluiceError } from '../lib/core/errors.ts';

const MS_PER_DAY = 86_400_000;
/** Days remembered, one a slot; some 40 KB. */
const SLOTS = 1024;
const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Offsets of one zone. A UTC day that begins and ends with the same offset is taken to have it throughout; in a day
 * that does not, the instant of the change is looked for. (No zone has changed twice within 24 hours.)
 *
 * Offsets come from Intl, not from tzOffset of @date-fns/tz, which reads `-00:44:30` (Monrovia until 1972) as positive.
 */
export class ZoneOffset {
  /** Milliseconds to add to UTC at the instant last asked for. */
  offsetMs = 0;
  /** That offset holds for the instants [fromMs, toMs). */
  fromMs = NEVER;
  toMs = NEVER;
  readonly #format: Intl.DateTimeFormat | null;
  readonly #days = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #offsets = new Float64Array(SLOTS);
  /** Where the offset changes on a slot's day, and to what; Infinity where it does not. */
  readonly #changes = new Float64Array(SLOTS);
  readonly #offsetsAfter = new Float64Array(SLOTS);

  /** @param zone an IANA name @throws SluiceError JOB_INVALID */
  constructor(zone: string) {
    if (zone === 'UTC') {
      // Without Intl, whose first use takes 30 ms of a start.
      this.#format = null;
      this.toMs = Number.POSITIVE_INFINITY;
      return;
    }
    try {
      const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
      this.#format = format.resolvedOptions().timeZone === 'UTC' ? null : format;
    } catch (cause) {
      throw new SluiceError('JOB_INVALID', `'${zone}' is not a time zone`, {
        cause,
        hint: 'zones are IANA names such as UTC, Europe/Berlin, America/New_York',
      });
    }
    if (this.#format === null) {
      this.toMs = Number.POSITIVE_INFINITY;
    }
  }

  /** Sets offsetMs, fromMs and toMs for an instant. */
  seek(instantMs: number): void {
    if (this.#format === null) return;
    const day = Math.floor(instantMs / MS_PER_DAY);
    const slot = day & (SLOTS - 1);
    if (this.#days[slot] !== day) this.#load(slot, day);
    const change = this.#changes[slot]!;
    const after = instantMs >= change;
    this.offsetMs = after ? this.#offsetsAfter[slot]! : this.#offsets[slot]!;
    this.fromMs = after ? change : day * MS_PER_DAY;
    this.toMs = after ? (day + 1) * MS_PER_DAY : Math.min(change, (day + 1) * MS_PER_DAY);
  }

  #load(slot: number, day: number): void {
    const start = day * MS_PER_DAY;
    const first = this.#offsetAt(start);
    const last = this.#offsetAt(start + MS_PER_DAY - 1000);
    this.#days[slot] = day;
    this.#offsets[slot] = first;
    this.#offsetsAfter[slot] = last;
    this.#changes[slot] = first === last ? Number.POSITIVE_INFINITY : this.#changeBetween(start, first);
  }

  /** The first whole second of the day at which the offset is no longer `before`. */
  #changeBetween(startMs: number, before: number): number {
    let low = 0;
    let high = MS_PER_DAY / 1000 - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#offsetAt(startMs + middle * 1000) === before) low = middle;
      else high = middle;
    }
    return startMs + high * 1000;
  }

  #offsetAt(instantMs: number): number {
    // `5/19/2026, GMT-08:00`, `GMT` alone at zero, `GMT-00:44:30` for old local times.
    const text = this.#format!.format(instantMs);
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
    if (match === null) throw new SluiceError('INTERNAL', `cannot read the time zone offset in '${text}'`);
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
    return (match[1] === '-' ? -seconds : seconds) * 1000;
  }
}
