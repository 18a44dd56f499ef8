/** Paths in a Delta log: relative to the table, URI encoded, so `%3A` in the name of a folder becomes `%253A`. */

/** Everything that a decoder of whatever generation could take for something else, but for the `=` of partitions. */
export function encodePath(relative: string): string {
  return relative
    .split('/')
    .map((segment) => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/');
}

/** What cannot be decoded stays: then it is nothing of ours. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
