export function repeat(runs: number, once: () => Promise<object>): Promise<void>;
