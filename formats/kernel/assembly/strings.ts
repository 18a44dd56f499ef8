/** Text into columns: as codes of a dictionary that the host fills, or as offsets and bytes. */
import { firstBytes, isUtf8, stops } from './blocks';
import {
  ENTRIES,
  ENTRY_HEADER_BYTES,
  FREE,
  FREE_END,
  MAX_ENTRIES,
  MAX_PROBES,
  ROOM_BYTES,
  SHIFT,
  SLOT_BYTES,
  SLOTS,
  TABLE,
  TABLE_MASK,
} from './layout';

/** Of every hash; random, so that nobody can prepare values whose hashes are equal. */
let seed: u64 = 0;

export function setSeed(low: i32, high: i32): void {
  seed = (<u64>(<u32>high) << 32) | <u64>(<u32>low);
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, block: v128): u64 {
  let h = (hash ^ <u64>i64x2.extract_lane(block, 0)) * 0x9e3779b97f4a7c15;
  h = ((h ^ (h >> 32)) ^ <u64>i64x2.extract_lane(block, 1)) * 0xd6e8feb86659fd93;
  return h ^ (h >> 32);
}

// @ts-ignore: decorator
@inline
function finish(hash: u64, length: i32): u64 {
  const h = (hash ^ <u64>length) * 0x9e3779b97f4a7c15;
  return h ^ (h >> 29);
}

/**
 * The code of the value at `at`, which is added where it is new; behind it is `valueEnd`, where a stop stands.
 * @returns -1 where it is new and the host has to look at it: it is not ASCII, or there is no room
 */
// @ts-ignore: decorator
@inline
function findCode<F>(field: usize, at: usize): i32 {
  let last = at;
  let hash = seed;
  let block = v128.load(last);
  let marks = stops<F>(block);
  while (marks == 0) {
    hash = mix(hash, block);
    last += 16;
    block = v128.load(last);
    marks = stops<F>(block);
  }
  const rest = ctz(marks);
  block = firstBytes(block, rest);
  valueEnd = last + rest;
  const length = <i32>(last + rest - at);
  hash = finish(mix(hash, block), length);
  const table = <usize>load<u32>(field, TABLE);
  const mask = load<u32>(field, TABLE_MASK);
  const upper = <u32>(hash >> 32);
  let slot = <u32>hash & mask;
  for (let probes = 0; probes < MAX_PROBES; probes++) {
    const place = table + <usize>slot * SLOT_BYTES;
    const entry = <usize>load<u32>(place, 4);
    if (entry == 0) return addValue(field, at, length, place, upper);
    if (load<u32>(place) == upper && load<i32>(entry, 4) == length) {
      let text = entry + ENTRY_HEADER_BYTES;
      let next = at;
      while (next < last && !v128.any_true(v128.xor(v128.load(next), v128.load(text)))) {
        next += 16;
        text += 16;
      }
      if (next == last && !v128.any_true(v128.xor(block, v128.load(text)))) return load<i32>(entry);
    }
    slot = (slot + 1) & mask;
  }
  return -1;
}

/** @param place of an empty slot of the table */
function addValue(field: usize, at: usize, length: i32, place: usize, upper: u32): i32 {
  const code = load<i32>(field, ENTRIES);
  const entry = <usize>load<u32>(field, FREE);
  const text = entry + ENTRY_HEADER_BYTES;
  const end = text + <usize>((length >> 4) + 1) * 16;
  const room = load<i32>(field, ROOM_BYTES) - length;
  if (code >= load<i32>(field, MAX_ENTRIES) || room < 0 || end > <usize>load<u32>(field, FREE_END)) return -1;
  let left = length;
  let out = text;
  while (left >= 0) {
    const block = left < 16 ? firstBytes(v128.load(at), left) : v128.load(at);
    if (i8x16.bitmask(block) != 0) return -1;
    v128.store(out, block);
    at += 16;
    out += 16;
    left -= 16;
  }
  store<i32>(entry, code);
  store<i32>(entry, length, 4);
  store<u32>(place, upper);
  store<u32>(place, <u32>entry, 4);
  store<i32>(field, code + 1, ENTRIES);
  store<i32>(field, room, ROOM_BYTES);
  store<u32>(field, <u32>end, FREE);
  return code;
}

export let valueEnd: usize = 0;

/** @returns where the value ends, or 0 */
export function readCode<F>(field: usize, at: usize, row: i32): usize {
  const code = findCode<F>(field, at);
  store<i32>(<usize>load<u32>(field, SLOTS) + (<usize>row << 2), code);
  return code < 0 ? 0 : valueEnd;
}

/** Copies block by block while it looks for the end. @returns where the value ends, or 0 where it is not UTF-8 */
export function readBytes<F>(field: usize, at: usize, row: i32): usize {
  const offsets = <usize>load<u32>(field, SLOTS) + (<usize>row << 2);
  const offset = load<i32>(offsets);
  let out = <usize>(offset + load<i32>(field, SHIFT));
  let last = at;
  let high = i8x16.splat(0);
  let block = v128.load(last);
  let marks = stops<F>(block);
  while (marks == 0) {
    v128.store(out, block);
    high = v128.or(high, block);
    out += 16;
    last += 16;
    block = v128.load(last);
    marks = stops<F>(block);
  }
  v128.store(out, block);
  const rest = ctz(marks);
  const end = last + rest;
  if (i8x16.bitmask(v128.or(high, firstBytes(block, rest))) != 0 && !isUtf8(at, end)) return 0;
  store<i32>(offsets, offset + <i32>(end - at), 4);
  return end;
}

/**
 * Puts an entry of a dictionary into the table, which has room.
 * @param entry complete, see layout.ts
 */
export function insertEntry(table: usize, mask: u32, entry: usize): void {
  const length = load<i32>(entry, 4);
  let text = entry + ENTRY_HEADER_BYTES;
  let hash = seed;
  for (let left = length; left >= 16; left -= 16) {
    hash = mix(hash, v128.load(text));
    text += 16;
  }
  hash = finish(mix(hash, v128.load(text)), length);
  let slot = <u32>hash & mask;
  while (load<u32>(table + <usize>slot * SLOT_BYTES, 4) != 0) slot = (slot + 1) & mask;
  store<u32>(table + <usize>slot * SLOT_BYTES, <u32>(hash >> 32));
  store<u32>(table + <usize>slot * SLOT_BYTES, <u32>entry, 4);
}
