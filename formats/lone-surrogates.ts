/**
 * Halves of surrogate pairs in JSON text, spelled as escapes: JSON's grammar takes `"\ud83d"`, but it is no character, and
 * readers of tables (DuckDB, say) refuse a whole column for it.
 */
const BACKSLASH = 92;
const LETTER_U = 117;
const REPLACEMENT = Buffer.from('ufffd');

/**
 * Writes `\ufffd` over those in bytes[from, to), which are whole values. They are as long, so nothing moves. Without an
 * escape of that kind this is two searches, over the values of a whole batch at once.
 */
export function replaceLoneSurrogates(bytes: Uint8Array, from: number, to: number): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  if (!text.includes('\\ud') && !text.includes('\\uD')) return;
  for (let at = text.indexOf(BACKSLASH); at !== -1; at = text.indexOf(BACKSLASH, at)) {
    const half = halfAt(text, at);
    if (half === 'high' && halfAt(text, at + 6) === 'low') at += 12;
    else if (half !== null) {
      text.set(REPLACEMENT, at + 1);
      at += 6;
    } else at += 2;
  }
}

function halfAt(text: Buffer, at: number): 'high' | 'low' | null {
  if (text[at] !== BACKSLASH || text[at + 1] !== LETTER_U) return null;
  const code = Number.parseInt(text.toString('latin1', at + 2, at + 6), 16);
  if (code < 0xd800 || code > 0xdfff) return null;
  return code < 0xdc00 ? 'high' : 'low';
}
