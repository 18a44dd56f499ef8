/**
 * Imports what the bundle does not have: a package that stays outside, what a user wrote. Nothing else may say `import()` for
 * such: Node 20 forgets who imports where a script came with compiled code (code-cache.ts). This function does not.
 *
 * @param specifier a package, or the URL of a file
 */
export function importModule(specifier: string): Promise<unknown> {
  return import(specifier);
}
