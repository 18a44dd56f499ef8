/** Big-endian two's complement bytes of any length, as Parquet and Avro store decimals. */
export function bigEndian(bytes: Uint8Array, start: number, end: number): bigint {
  let value = end > start && bytes[start]! >= 0x80 ? -1n : 0n;
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(bytes[at]!);
  return value;
}
