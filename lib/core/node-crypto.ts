/**
 * `node:crypto`, loaded where it is first used. It is 17 modules, and with Node 24 a tenth of the CPU of a start; most subtasks
 * never need it.
 */
let loaded: typeof import('node:crypto') | undefined;

export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}
