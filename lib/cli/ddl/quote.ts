/** Names and texts as SQL has them. */

export function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join(',\n');
}

export function doubleQuoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function backticked(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
