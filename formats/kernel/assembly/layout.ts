/**
 * What the kernel and its host agree on: numbers only, read by both compilers.
 *
 * A plan is an array of records of FIELD_BYTES, one a column of the input in the order in which they usually stand. All
 * entries are 32-bit words, addresses are indexes of the kernel's memory.
 */

export const FIELD_BYTES = 64;

/** Address of the text that leads to the value (`"key":`), filled up to whole blocks; unused in CSV. */
export const LEAD = 0;
export const LEAD_BYTES = 4;
export const KIND = 8;
/** 1 where the value may be null. */
export const NULLABLE = 12;
/** Address of the first slot: values, codes, or offsets. */
export const SLOTS = 16;
/** Address of one byte a row, not 0 where the row is null. */
export const NULLS = 20;
/** Set to 1 by the kernel when it made a row null, taken back by the host. */
export const HAS_NULLS = 24;
/** What an offset has to be increased by to be an address (of a byte, or of an item's slot). */
export const SHIFT = 28;
/** Dictionary: address of the table, its number of slots less 1. */
export const TABLE = 32;
export const TABLE_MASK = 36;
/** Dictionary: how many entries there are, which is the code of the next one. */
export const ENTRIES = 40;
/** Dictionary: how many there may be before the host has to look after it, and how many bytes of values more. */
export const MAX_ENTRIES = 44;
export const ROOM_BYTES = 48;
/** Dictionary: where the next entry goes, and the end of the room for entries. */
export const FREE = 52;
export const FREE_END = 56;
/** List: address of the record of its items; struct: of the plan of its fields. */
export const CHILD = 32;
/** Struct: how many fields. */
export const CHILD_COUNT = 36;

export const KIND_SKIP = 0;
export const KIND_BOOLEAN = 1;
export const KIND_INT32 = 2;
export const KIND_INT64 = 3;
export const KIND_FLOAT64 = 4;
export const KIND_FLOAT32 = 5;
export const KIND_MILLIS = 6;
export const KIND_MICROS = 7;
export const KIND_DATE = 8;
/** Strings as codes of a dictionary. */
export const KIND_CODES = 9;
/** Strings as offsets and bytes. */
export const KIND_BYTES = 10;
export const KIND_LIST = 11;
export const KIND_STRUCT = 12;
/** Any JSON value, as offsets and bytes of its text. */
export const KIND_JSON = 13;

/** Bytes that have to be behind the input: blocks are read where a byte may be. */
export const PAD_BYTES = 64;

/** A slot of a dictionary's table: upper half of the hash, address of the entry (0: empty). */
export const SLOT_BYTES = 8;
/** An entry: code, length in bytes, two words of nothing, the bytes filled up with zeros to at least one block more. */
export const ENTRY_HEADER_BYTES = 16;
/** Slots looked at for one value: the table is at most half full, and the seed random. */
export const MAX_PROBES = 64;
