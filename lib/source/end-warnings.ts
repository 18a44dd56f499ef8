/** What people are told of a file that was not read to its end. */
import type { FileEnd } from './open-files.ts';
import { remainingBytes, type Split } from './split.ts';
import type { WarningCode } from './warnings.ts';

/** @param next what looks at the file again: the next scan, or the next run */
export function endWarning({ path, kind, untouched }: FileEnd, next: 'scan' | 'run'): [WarningCode, string] {
  const gone = kind === 'missing';
  const code = gone ? 'file-missing' : 'file-changed-while-read';
  if (untouched)
    return [
      code,
      `${path} ${gone ? 'was gone' : 'had changed'} before it was read; the next ${next} looks at it again`,
    ];
  const what = gone ? 'is gone' : 'changed while it was being read';
  return [
    code,
    `${path} ${what}: rows read so far stay, and may be those of both versions; the rest is not read`,
  ];
}

/** Of a followed file that was looked for under other names. */
export function lossWarning(split: Split): [WarningCode, string] {
  const { path, position } = split;
  return [
    'file-missing',
    `${path} was renamed, truncated or deleted while it was read, and is not found: its ${remainingBytes(split)} bytes from byte ${position.offset} on are lost`,
  ];
}
