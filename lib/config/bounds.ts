/** Bounds that the job file and the command line have in common. */
export const MAX_PARALLELISM = 256;
export const MIN_MEMORY_BYTES = 64 * 1024;
