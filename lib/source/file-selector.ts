/**
 * Which files are input: roots (folders to list) made from the job's paths, and what of each is wanted. Globs are
 * picomatch's, matched against the path relative to the root's folder.
 *
 * Names beginning with `.` or `_`, of files and of folders below the root, are hidden and never input: they are how
 * lakes mark what is not (yet) data. A file that a path names outright is wanted whatever its name.
 */
import picomatch from 'picomatch';
import type { SourceSpec } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem, ListOptions } from '../storage/file-system.ts';

/** A folder to list, and what of it is wanted. */
export interface SourceRoot {
  /** Absolute. */
  readonly folder: string;
  readonly options: ListOptions;
  /** Why a file, or a folder with all that is in it, is not input, for people; null where it is. */
  readonly whyNot: {
    readonly file: (relative: string) => string | null;
    readonly folder: (relative: string) => string | null;
  };
  /** What is wanted, as text: files of one selection are not forgotten because another one leaves them out. */
  readonly selection: string;
}

export type SelectorSpec = Pick<SourceSpec, 'paths' | 'include' | 'exclude' | 'recursive'>;

/** What stands where a name is not valid UTF-8. Such a file cannot be opened by the name we see. */
const REPLACEMENT = '\uFFFD';

/** Hidden names are ours to judge (dot); names may hold line feeds (flags s: a dot matches them). */
export const GLOB_OPTIONS = { dot: true, flags: 's', strictSlashes: true };

/**
 * Turns the job's paths into roots. A path that exists as it is written is a folder or a file, whatever characters it
 * has; otherwise one with glob characters is a glob, whose folders count as well as its files.
 * @param onUnreadableName called for each name that is not valid UTF-8 and so is left out
 * @throws SluiceError NOT_FOUND for a path that is neither there nor a glob, or a glob whose fixed part is not there
 */
export async function selectRoots(
  spec: SelectorSpec,
  fileSystem: FileSystem,
  onUnreadableName: (path: string) => void,
): Promise<SourceRoot[]> {
  const roots: SourceRoot[] = [];
  for (const path of new Set(spec.paths.map(withoutTrailingSlash))) {
    const status = await fileSystem.stat(path);
    if (status?.isFolder) {
      roots.push(folderRoot(path, spec, null, onUnreadableName));
    } else if (status !== null) {
      roots.push(fileRoot(path));
    } else {
      const glob = picomatch.scan(path);
      if (!glob.isGlob) {
        if (!(await isFolder(path, fileSystem))) throw notFound(path);
        roots.push(folderRoot(path, spec, null, onUnreadableName));
        continue;
      }
      // '' where the very first segment is a pattern.
      const folder = withoutTrailingSlash(glob.base === '' ? '/' : glob.base);
      if (!(await isFolder(folder, fileSystem))) throw notFound(folder, path);
      roots.push(folderRoot(folder, spec, glob.glob, onUnreadableName));
    }
  }
  return roots;
}

/** In an object store, a prefix is a folder before anything is in it. */
async function isFolder(path: string, fileSystem: FileSystem): Promise<boolean> {
  const status = await fileSystem.stat(path);
  return status?.isFolder ?? (await fileSystem.folderIdentity(path)) !== null;
}

function fileRoot(path: string): SourceRoot {
  const cut = path.lastIndexOf('/');
  const name = path.slice(cut + 1);
  return {
    folder: cut === 0 ? '/' : path.slice(0, cut),
    options: {
      enterFolder: () => false,
      wantFile: (relative) => relative === name,
      prefixes: [name],
      topOnly: true,
    },
    whyNot: {
      file: (relative) => (relative === name ? null : `only ${name} is named`),
      folder: () => `only ${name} is named`,
    },
    selection: JSON.stringify([name]),
  };
}

/** Something that keeps names out, and what people are told then. */
interface Filter {
  readonly refuses: (relative: string) => boolean;
  readonly why: string;
}

function folderRoot(
  folder: string,
  spec: SelectorSpec,
  glob: string | null,
  onUnreadableName: (path: string) => void,
): SourceRoot {
  // A glob may mean folders (`/data/2026-*`): what lies in them is wanted too.
  const pathGlobs = glob === null ? [] : [glob, `${glob}/${spec.recursive ? '**' : '*'}`];
  const prefixes = literalPrefixes(pathGlobs.length > 0 ? pathGlobs : spec.include);
  // A glob says itself how deep it goes.
  const deep = spec.recursive || glob !== null;
  const hidden: Filter = { refuses: isHiddenName, why: 'its name begins with . or _' };
  const files: Filter[] = [hidden];
  const folders: Filter[] = [{ refuses: () => !deep, why: 'recursive: false' }, hidden];
  for (const [globs, name] of [
    [pathGlobs, 'the path'],
    [spec.include, 'include'],
  ] as const) {
    if (globs.length === 0) continue;
    const matches = picomatch([...globs], GLOB_OPTIONS);
    files.push({ refuses: (relative) => !matches(relative), why: `no pattern of ${name} matches it` });
    const enters = globs.map(folderTest);
    folders.push({
      refuses: (relative) => !enters.some((enter) => enter(relative)),
      why: `no pattern of ${name} matches anything in it`,
    });
  }
  if (spec.exclude.length > 0) {
    const why = 'a pattern of exclude matches it';
    files.push({ refuses: picomatch([...spec.exclude], GLOB_OPTIONS), why });
    for (const exclude of spec.exclude) {
      // `tmp/**` excludes everything below tmp, so tmp need not be listed.
      if (exclude.endsWith('/**'))
        folders.push({ refuses: picomatch(exclude.slice(0, -3), GLOB_OPTIONS), why });
    }
  }
  const unreadable: Filter = {
    refuses: (relative) => {
      if (!relative.includes(REPLACEMENT)) return false;
      onUnreadableName(`${folder}/${relative}`);
      return true;
    },
    why: 'its name is not valid UTF-8',
  };
  // Last: only names that are wanted otherwise are worth a warning.
  files.push(unreadable);
  folders.push(unreadable);
  return {
    folder,
    options: {
      enterFolder: (relative) => !folders.some(({ refuses }) => refuses(relative)),
      wantFile: (relative) => !files.some(({ refuses }) => refuses(relative)),
      prefixes,
      topOnly: !deep,
    },
    whyNot: {
      file: (relative) => files.find(({ refuses }) => refuses(relative))?.why ?? null,
      folder: (relative) => folders.find(({ refuses }) => refuses(relative))?.why ?? null,
    },
    selection: JSON.stringify([glob, spec.include, spec.exclude, spec.recursive]),
  };
}

/** What matches of globs begin with, one for each: `2026-` of `2026-*\/x`. All files where there is no glob. */
function literalPrefixes(globs: readonly string[]): string[] {
  if (globs.length === 0) return [''];
  return globs.map((glob) => /^(?:(?![*?[\]{}()!+@|\\]).)*/su.exec(glob)?.[0] ?? '');
}

/** Whether a root wants a file by its path; whether it goes into its folder is not asked. */
export function wants({ folder, options }: SourceRoot, path: string): boolean {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  return path.startsWith(prefix) && options.wantFile(path.slice(prefix.length));
}

/** Whether a listing of the root would show a file. */
export function reaches(root: SourceRoot, path: string): boolean {
  if (!wants(root, path)) return false;
  const { enterFolder, topOnly } = root.options;
  const relative = path.slice(root.folder === '/' ? 1 : root.folder.length + 1);
  for (let cut = relative.indexOf('/'); cut !== -1; cut = relative.indexOf('/', cut + 1))
    if (topOnly === true || !enterFolder(relative.slice(0, cut))) return false;
  return true;
}

/** Whether the last name of a relative path is hidden. Folders above were asked for before. */
export function isHiddenName(relative: string): boolean {
  const first = relative.charAt(relative.lastIndexOf('/') + 1);
  return first === '.' || first === '_';
}

/**
 * Whether a folder can hold a match of the glob: its segments match those of the glob one by one, up to the first `**`
 * or anything else that may span segments. Saves listing `2025/` where `2026-*\/**` is wanted.
 */
function folderTest(glob: string): (relative: string) => boolean {
  const segments = glob.split('/');
  const tests: ((segment: string) => boolean)[] = [];
  let bounded = true;
  for (const segment of segments.slice(0, -1)) {
    // Braces and extglobs may hold slashes, `**` any number of them; a negation matches nearly everything.
    if (segment.includes('**') || /[{}()!\\]/.test(segment)) {
      bounded = false;
      break;
    }
    tests.push(picomatch(segment, GLOB_OPTIONS));
  }
  if (/\*\*|[{}()!\\]/.test(segments.at(-1)!)) bounded = false;
  return (relative) => {
    const folders = relative.split('/');
    if (bounded && folders.length >= segments.length) return false;
    return folders.every((folder, i) => tests[i]?.(folder) ?? true);
  };
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

function notFound(path: string, glob?: string): SluiceError {
  const of = glob === undefined ? '' : `, the fixed part of the glob ${glob},`;
  return new SluiceError('NOT_FOUND', `the source path ${path}${of} does not exist`, {
    hint: 'create it, or correct source.path in the job file; relative paths are relative to the job file',
    details: { path },
  });
}
