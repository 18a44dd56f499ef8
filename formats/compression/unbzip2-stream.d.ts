/** The decoder in unbzip2-stream, which has no types of its own. */
declare module 'unbzip2-stream/lib/bzip2.js' {
  /** Reads up to 32 bits; null: goes on at the next whole byte. */
  export type ReadBits = (count: number | null) => number;

  export interface Bzip2Decoder {
    /** Reads the beginning of a member. @returns the size of its blocks, in 100,000 bytes */
    header(bits: ReadBits): number;
    /** Decodes a block. @returns the member's checksum so far; null at the end of the member */
    decompress(
      bits: ReadBits,
      put: (byte: number) => void,
      work: Int32Array,
      workSize: number,
      checksum: number,
    ): number | null;
  }

  const decoder: Bzip2Decoder;
  export default decoder;
}
