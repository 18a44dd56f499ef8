/** Bounds of options. */
import { MIB } from '../core/specs.ts';

export { MIB };
export const MAX_PARALLELISM = 256;
export const MIN_MEMORY_BYTES = 64 * 1024;

export const KIB = 1024;
export const GIB = 1024 * MIB;
/** For ages, which no timer waits for. */
export const TEN_YEARS_MS = 3650 * 86_400_000;
