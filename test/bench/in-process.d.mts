export function repeat(runs: number, folders: readonly string[], once: () => Promise<object>): Promise<void>;
