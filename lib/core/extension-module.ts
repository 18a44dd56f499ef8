/** Loads what a user wrote: `{ type: custom, module: ./b.js }`. */
import { pathToFileURL } from 'node:url';
import { SluiceError } from './errors.ts';
import { importModule } from './import-module.ts';

/**
 * Imports an ES module and gives its export `name`, or else its default export.
 * @param path absolute
 * @throws SluiceError JOB_INVALID where the module does not load or exports neither
 */
async function loadExtension(path: string, name: string): Promise<unknown> {
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = (await importModule(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('JOB_INVALID', `cannot load the module ${path}: ${why}`, {
      cause,
      details: { module: path },
      hint: 'the module has to be JavaScript that Node can import, at this path',
    });
  }
  const found = loaded[name] ?? loaded.default;
  if (found === undefined || found === null) {
    throw new SluiceError('JOB_INVALID', `the module ${path} exports neither '${name}' nor a default`, {
      details: { module: path },
      hint: `write: export function ${name}(options) { ... }`,
    });
  }
  return found;
}

/**
 * Loads `{ module, options }` of a job file: what the module's export `name` makes of the options (or promises to make), or
 * that export itself where it is no function.
 * @param path absolute
 * @throws SluiceError JOB_INVALID
 */
export async function createExtension(path: string, name: string, options: unknown): Promise<unknown> {
  const found = await loadExtension(path, name);
  if (typeof found !== 'function') return found;
  try {
    return await found(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('JOB_INVALID', `${name} of ${path} failed: ${why}`, { cause });
  }
}

/** Whether a value made by user code has a method of that name. */
export function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is Record<Name, (...args: never[]) => unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  );
}
