/**
 * Text of others (file names, values of records, messages of libraries) on a terminal: control characters could move
 * the cursor, hide what went before, or set the window's title. Line feeds stay.
 */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same in one line: a name with a line feed in it must not look like a line of ours. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}
