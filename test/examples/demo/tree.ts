/** A folder tree for people: complete at the top, shortened where a level is long. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const MOST_AT_THE_TOP = 6;
const MOST_BELOW = 2;

export interface Visible {
  /** Relative path -> bytes. */
  readonly files: ReadonlyMap<string, number>;
  readonly sizeBytes: number;
}

/** The files that readers of a lake see. */
export async function visibleFiles(lake: string): Promise<Visible> {
  const files = new Map<string, number>();
  let sizeBytes = 0;
  for (const entry of await readdir(lake, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const file = path.join(entry.parentPath, entry.name);
    const below = path.relative(lake, file);
    if (!entry.isFile() || below.split(path.sep).some((name) => /^[._]/.test(name))) continue;
    const { size } = await stat(file);
    files.set(below, size);
    sizeBytes += size;
  }
  return { files, sizeBytes };
}

/** Lines like `├── dt=2001-01-01`. */
export function formatTree(files: ReadonlyMap<string, number>): string {
  return branch(
    [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => [name.split(path.sep), bytes]),
    0,
  )
    .map((line) => `  ${line}`)
    .join('\n');
}

type Entry = readonly [names: readonly string[], sizeBytes: number];

function branch(entries: readonly Entry[], level: number): string[] {
  const children = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = entry[0][level] ?? '';
    children.set(name, [...(children.get(name) ?? []), entry]);
  }
  const most = level === 0 ? MOST_AT_THE_TOP : MOST_BELOW;
  const shown = [...children].slice(0, children.size > most + 1 ? most : children.size);
  const rest = children.size - shown.length;
  const lines = shown.flatMap(([name, below], at) => {
    const isLast = rest === 0 && at === shown.length - 1;
    const isFile = below.length === 1 && below[0]![0].length === level + 1;
    const label = isFile ? `${name}  ${kilobytes(below[0]![1])}` : `${name}/`;
    const deeper = isFile ? [] : branch(below, level + 1);
    return [
      `${isLast ? '└── ' : '├── '}${label}`,
      ...deeper.map((line) => `${isLast ? '    ' : '│   '}${line}`),
    ];
  });
  return rest === 0 ? lines : [...lines, `└── ... and ${rest} more`];
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1000).toLocaleString('en')} kB`;
}
