/** The product's sources as text, for rules that no linter knows. Declarations of foreign modules are not ours. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** Relative to the repository, `/` between levels. */
  readonly path: string;
  readonly text: string;
  /** The same without comments. */
  readonly code: string;
}

const PRODUCT_FOLDERS = ['lib', 'formats', 'bucketing', 'rolling'];

export function productFiles(): readonly SourceFile[] {
  return PRODUCT_FOLDERS.flatMap(sourceFiles).filter((file) => !isAssemblyScript(file.path));
}

/** Another language, whose imports and comments follow other rules. layout.ts is read by both compilers. */
function isAssemblyScript(file: string): boolean {
  return file.startsWith('formats/kernel/assembly/') && !file.endsWith('/layout.ts');
}

export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((name) => sourceFile(path.posix.join(folder, name), readText(path.join(folder, name))));
}

export function sourceFile(name: string, text: string): SourceFile {
  return { path: name, text, code: withoutComments(text) };
}

export function readText(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8');
}

/** Strings first, so that `//` in an address does not begin a comment; a regular expression counts where one may stand. */
const TOKEN =
  /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|(?<=[=(,:;!&|?{}[\n]\s*)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function withoutComments(text: string): string {
  return text.replaceAll(TOKEN, (token) => {
    if (!token.startsWith('//') && !token.startsWith('/*')) return token;
    // Lines keep their numbers.
    return token.replaceAll(/[^\n]/g, ' ');
  });
}

/** What a file imports, by its text: relative paths, packages, node modules. Types and dynamic imports included. */
export function importsOf({ code }: SourceFile): readonly string[] {
  const found = code.matchAll(
    /(?:^|\n|;)\s*(?:import|export)\b[^;'"`()=]*?\bfrom\s*'([^']+)'|(?<!-)\bimport\s*\(?\s*'([^']+)'/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

/** Values that a file declares and exports. */
export function exportedValues({ code }: SourceFile): readonly string[] {
  const found = code.matchAll(/^export (?:async )?(?:abstract )?(?:function\*?|const|class) (\w+)/gm);
  return [...found].map((match) => match[1]!);
}

/** What a file takes from others by name, each as `file name`; `file *` where it takes a module as a whole. */
export function takenFrom(file: SourceFile): readonly string[] {
  const from = (specifier: string) => importedFile(file, specifier) ?? specifier;
  const named = file.code.matchAll(/\b(?:import|export)\s[^;'"{]*\{([^}]*)\}\s*from\s*'([^']+)'/g);
  const whole = file.code.matchAll(
    /\b(?:import\s+\*\s+as\s+\w+|export\s+\*)\s+from\s*'([^']+)'|\bimport\(\s*'([^']+)'/g,
  );
  const nameOf = (item: string) =>
    item
      .trim()
      .replace(/^type /, '')
      .replace(/ as .*/, '');
  return [
    ...[...named].flatMap(([, items = '', specifier = '']) =>
      items.split(',').map((item) => `${from(specifier)} ${nameOf(item)}`),
    ),
    ...[...whole].map((match) => `${from(match[1] ?? match[2] ?? '')} *`),
  ];
}

/** The repository path behind a relative import; null for a package. */
export function importedFile(from: SourceFile, specifier: string): string | null {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from.path), specifier) : null;
}

/** `date-fns` of `date-fns/format`, `@aws-sdk/client-s3` of whatever lies in it; null for node's own and relative ones. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** `lib/sink` or `formats`: the part of the tree that a file belongs to; `lib` for the public entry. */
export function layerOf(file: string): string {
  const [top = '', second = '', ...deeper] = file.split('/');
  return top === 'lib' && deeper.length > 0 ? `lib/${second}` : top;
}
