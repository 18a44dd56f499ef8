/**
 * `node:crypto`, loaded where it is first used: 17 modules of Node's, 12 ms of CPU in each thread with Node 24 (lower quartiles
 * of 25 in turns). Subtasks between local folders seldom need it.
 */
let loaded: typeof import('node:crypto') | undefined;

export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}
