/**
 * Named places where a test may stop the program as a crash would. Each is named after the protocol step it stands
 * before or behind. Nothing happens at them unless a test (or SLUICE_FAILPOINT, see lib/cli) installs a hook.
 */
type FailpointHook = (name: string) => void;

let hook: FailpointHook | null = null;

/** Installs what happens at failpoints (throw, kill the process), or null for nothing. One a thread. */
export function setFailpointHook(next: FailpointHook | null): void {
  hook = next;
}

export function failpoint(name: string): void {
  if (hook !== null) hook(name);
}

/**
 * Kills the process, as kill -9 does, at a failpoint: `name`, or `name:3` for the third time it is reached.
 * For fault tests of the real program.
 */
export function killAtFailpoint(text: string): void {
  const [target, nth] = text.split(':');
  let left = Number(nth ?? 1);
  setFailpointHook((name) => {
    if (name === target && --left === 0) process.kill(process.pid, 'SIGKILL');
  });
}
