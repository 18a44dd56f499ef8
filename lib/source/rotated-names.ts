/** How logrotate and its like call the copies of `app.log`: app.log.1, app.log-20261125, app-20261125.log, app.1.log ... */

const SEPARATORS = '.-_~';

/** Whether `name` may be that of a copy of the file `original`, both in one folder. */
export function isRotatedName(name: string, original: string): boolean {
  return name !== original && originalNames(name).includes(original);
}

/** What the file may have been called of which `name` is a copy, the longest first. A handful: one for each separator. */
export function originalNames(name: string): string[] {
  const names: string[] = [];
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  for (let at = name.length - 1; at > 0; at--) {
    if (!SEPARATORS.includes(name[at]!)) continue;
    names.push(name.slice(0, at));
    if (at < dot) names.push(name.slice(0, at) + extension);
  }
  return [...new Set(names)];
}
