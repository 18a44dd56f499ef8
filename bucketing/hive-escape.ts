/** Partition values in folder names, as Hive spells them (FileUtils.escapePathName). */
import { HIVE_DEFAULT_PARTITION } from '../lib/core/partition-commit.ts';

/** Exactly what Hive and Presto escape; everything else, non-ASCII included, stays as raw UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are escaped
const ESCAPED = /[\u0000-\u001f\u007f"#%'*/:=?[\\\]^{]/g;

/** `%` and two upper-case hex digits for each character of the set. Not URL encoding: `ü` and blanks stay. */
export function escapeHive(text: string): string {
  return text.replace(ESCAPED, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** The folder of a value: `country=DE`; null and '' are `__HIVE_DEFAULT_PARTITION__`, as Hive cannot tell them apart. */
export function partitionSegment(key: string, value: string | null): string {
  const text = value === null || value === '' ? HIVE_DEFAULT_PARTITION : escapeHive(value);
  return `${escapeHive(key)}=${text}`;
}
