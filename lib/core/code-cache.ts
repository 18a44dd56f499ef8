/**
 * The code of `dist/lib/chunks` as V8 compiled it when it was built: parsing and compiling it anew is a quarter of a start
 * (docs/decisions.md). The build writes it (.ci/code-cache.ts), into the package, so that it is trusted as far as the code
 * itself. A Node with another version or other flags does not take it, and compiles as if there were none; so does one that
 * finds it damaged.
 *
 * Scripts with compiled code cannot import (see import-module.ts).
 */
import { isAscii } from 'node:buffer';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** What the build sets: the folder into which the code is written that a thread compiled until it has done its work. */
export const RECORD_VARIABLE = 'SLUICE_RECORD_CODE';

/** They call different functions of the same files. */
export type CachedThread = 'main' | 'subtask';

const CHUNKS = fileURLToPath(new URL('../chunks/', import.meta.url));
const CACHE = fileURLToPath(new URL('../code-cache/', import.meta.url));
/** V8 refers to its own heap by position: another build of the same version may have another one. */
const OF_THIS_NODE = `${process.version}-${process.platform}-${process.arch}`;

/**
 * From now on, and in this thread, chunks are loaded with their compiled code. Nothing where the program runs from its
 * sources. V8's flags have to be those of the build.
 *
 * @returns to be called once the thread has done its work: writes the code, where this is the build
 */
export function useCodeCache(thread: CachedThread): () => void {
  const writes: (() => void)[] = [];
  const done = () => {
    for (const write of writes) write();
  };
  // Compiled code names its script as the build did, which source maps and coverage cannot go by.
  const isNameNeeded = process.sourceMapsEnabled || process.env.NODE_V8_COVERAGE !== undefined;
  if (import.meta.url.endsWith('.ts') || isNameNeeded) return done;
  const folder = path.join(OF_THIS_NODE, thread);
  const recordInto = process.env[RECORD_VARIABLE] || null;
  let isTaken = true;
  // Node then also finds x.cjs where a user's script requires './x'.
  const { extensions } = createRequire(import.meta.url);
  const load = extensions['.js'];
  extensions['.cjs'] = (module, file) => {
    if (path.dirname(file) + path.sep !== CHUNKS) {
      load(module, file);
      return;
    }
    const cacheFile = path.join(folder, `${path.basename(file)}.bin`);
    const cached = isTaken ? readCached(path.join(CACHE, cacheFile)) : undefined;
    if (cached === undefined && recordInto === null) {
      load(module, file);
      return;
    }
    const source = readFileSync(file);
    const code = cached === undefined ? undefined : codeOf(cached, source);
    const script = compile(file, source, code);
    // Other flags than by default: nothing else will be taken either.
    if (script.cachedDataRejected === true) isTaken = false;
    if (recordInto !== null) writes.push(() => writeCode(path.join(recordInto, cacheFile), source, script));
    run(script, module, file);
  };
  return done;
}

/** Before the code: what it was compiled from, and itself. V8 looks at the length of a source only, and at no code. */
const CHECKSUMS = 8;

function checksums(source: Buffer, code: Buffer): Buffer {
  const sums = Buffer.alloc(CHECKSUMS);
  sums.writeUInt32LE(crc32(source), 0);
  sums.writeUInt32LE(crc32(code), 4);
  return sums;
}

function readCached(cacheFile: string): Buffer | undefined {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

/** @returns undefined where it is not whole, or not of this source */
function codeOf(cached: Buffer, source: Buffer): Buffer | undefined {
  const code = cached.subarray(CHECKSUMS);
  return checksums(source, code).equals(cached.subarray(0, CHECKSUMS)) ? code : undefined;
}

/** No job fails of it: the build looks for what it wanted. */
function writeCode(cacheFile: string, source: Buffer, script: Script): void {
  // The job has set it meanwhile, and its code would be for those alone who have, too.
  process.getBuiltinModule('node:v8').setFlagsFromString('--heap-growing-percent=0');
  const code = script.createCachedData();
  try {
    mkdirSync(path.dirname(cacheFile), { recursive: true });
    writeFileSync(cacheFile, Buffer.concat([checksums(source, code), code]));
  } catch {}
}

/** As Node itself wraps a CommonJS module. */
const HEAD = '(function (exports, require, module, __filename, __dirname) { ';
const TAIL = '\n})';

function compile(file: string, source: Buffer, cachedData: Buffer | undefined): Script {
  // Put together as bytes: of a string in three pieces V8 makes another one.
  const wrapped = Buffer.concat([Buffer.from(HEAD), source, Buffer.from(TAIL)]);
  return new Script(wrapped.toString(isAscii(wrapped) ? 'latin1' : 'utf8'), {
    // The name goes into the compiled code, and with it to whoever is given the package. A text of its own: V8 would take the
    // whole path along that it was cut out of.
    filename: Buffer.from(`sluice/lib/chunks/${path.basename(file)}`).toString(),
    columnOffset: -HEAD.length,
    cachedData,
  });
}

function run(script: Script, module: NodeJS.Module, file: string): void {
  const require = (id: string): unknown => module.require(id);
  script.runInThisContext().call(module.exports, module.exports, require, module, file, path.dirname(file));
}
