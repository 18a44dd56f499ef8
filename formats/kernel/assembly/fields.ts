import { stops } from './blocks';

/** Where the CSV field at `at` ends: at a delimiter, a line end, or what the host has to look at. */
// @ts-ignore: decorator
@inline
export function skipField(at: usize): usize {
  while (true) {
    const marks = stops<i64>(v128.load(at));
    if (marks != 0) return at + ctz(marks);
    at += 16;
  }
}
