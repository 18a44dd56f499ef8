/**
 * Snappy's raw block format, compressing: a module of its own, with a memory of its own.
 * https://github.com/google/snappy/blob/main/format_description.txt
 *
 * Of the memory, the first page holds the hash table; the host puts the input behind it and the output behind that,
 * each with SLACK bytes that may be read and written over.
 */

/** Positions, modulo 65,536, of the four bytes with a hash. At address 0, 32 KiB: what fits the first cache. */
const MAX_TABLE_BITS: u32 = 14;
const MIN_TABLE_BITS: u32 = 8;
/** Bytes at the end that are left as a literal, so that reading ahead stays within the input. */
const MARGIN: usize = 15;
/** Of snappy's own hash. */
const HASH: u32 = 0x1e35a7bd;

// @ts-ignore: decorator
@inline
function slotOf(word: u32, shift: u32): usize {
  return (<usize>((word * HASH) >> shift)) << 1;
}

/** Writes the compressed form of input[0, size), without its length. @returns the end of the output */
export function compress(input: usize, size: usize, out: usize): usize {
  // Small pages use a small part of the table.
  let bits = MIN_TABLE_BITS;
  while (bits < MAX_TABLE_BITS && <usize>1 << <usize>bits < size) bits++;
  const shift: u32 = 32 - bits;
  memory.fill(0, 0, (<usize>2) << <usize>bits);
  const end = input + size;
  let literal = input;
  if (size > MARGIN) {
    const limit = end - MARGIN;
    let at = input + 1;
    // Four bytes that were here before are looked for in ever longer steps while nothing is found.
    let skip: usize = 32;
    while (at < limit) {
      const word = load<u32>(at);
      const slot = slotOf(word, shift);
      const position = at - input;
      const distance = (position - load<u16>(slot)) & 0xffff;
      store<u16>(slot, <u16>position);
      // Whatever the table says, equal bytes behind are a copy: no entry has to be known to be of this input.
      const candidate = at - distance;
      if (distance == 0 || load<u32>(candidate) != word) {
        at += skip >> 5;
        skip++;
        continue;
      }
      if (at > literal) out = emitLiteral(literal, at - literal, out);
      const start = at;
      at = matchEnd(at + 4, candidate + 4, limit);
      out = emitCopy(<u32>distance, at - start, out);
      literal = at;
      skip = 32;
      if (at < limit) store<u16>(slotOf(load<u32>(at - 1), shift), <u16>(at - 1 - input));
    }
  }
  return end > literal ? emitLiteral(literal, end - literal, out) : out;
}

/** How far what stands at `at` is the same as what stands at `candidate`; up to 8 bytes beyond `limit`. */
// @ts-ignore: decorator
@inline
function matchEnd(at: usize, candidate: usize, limit: usize): usize {
  while (at < limit) {
    const differing = load<u64>(at) ^ load<u64>(candidate);
    if (differing != 0) return at + <usize>(ctz(differing) >> 3);
    at += 8;
    candidate += 8;
  }
  return at;
}

// @ts-ignore: decorator
@inline
function emitLiteral(from: usize, length: usize, out: usize): usize {
  const rest = <u32>length - 1;
  if (length <= 16) {
    store<u8>(out, rest << 2);
    v128.store(out + 1, v128.load(from));
    return out + 1 + length;
  }
  return emitLongLiteral(from, length, out);
}

function emitLongLiteral(from: usize, length: usize, out: usize): usize {
  const rest = <u32>length - 1;
  if (rest < 60) store<u8>(out++, rest << 2);
  else if (rest < 0x100) {
    store<u8>(out, 60 << 2);
    store<u8>(out + 1, rest);
    out += 2;
  } else if (rest < 0x10000) {
    store<u8>(out, 61 << 2);
    store<u16>(out + 1, rest);
    out += 3;
  } else {
    store<u8>(out, 63 << 2);
    store<u32>(out + 1, rest);
    out += 5;
  }
  memory.copy(out, from, length);
  return out + length;
}

// @ts-ignore: decorator
@inline
function emitCopy(distance: u32, length: usize, out: usize): usize {
  if (length < 12 && distance < 2048) {
    store<u16>(out, ((distance >> 8) << 5) | ((<u32>length - 4) << 2) | 1 | ((distance & 0xff) << 8));
    return out + 2;
  }
  // 60, not 64, where 65 to 67 are left: no piece may have less than four bytes, or it would not pay.
  while (length > 64) {
    const piece: usize = length < 68 ? 60 : 64;
    out = emitPiece(distance, piece, out);
    length -= piece;
  }
  return emitPiece(distance, length, out);
}

// @ts-ignore: decorator
@inline
function emitPiece(distance: u32, length: usize, out: usize): usize {
  store<u32>(out, ((<u32>length - 1) << 2) | 2 | (distance << 8));
  return out + 3;
}
