/** Engines that a table can be made for. */
export const ENGINES = ['trino', 'presto', 'hive', 'spark', 'duckdb', 'athena'] as const;
export type QueryEngine = (typeof ENGINES)[number];
