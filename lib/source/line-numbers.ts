/**
 * Numbers the lines that rows begin in, for jobs that ask for it: counts the line feeds between one row and the next while
 * the bytes are at hand. The decoders know nothing of it.
 */
const LINE_FEED = 10;

export class LineNumbers {
  /** Of the rows that the decoder holds, or held until they were taken. */
  readonly lines: Float64Array;
  #numbered = 0;
  #taken = false;
  #line = 1;

  constructor(batchRows: number) {
    this.lines = new Float64Array(batchRows);
  }

  /** @param line of the byte that comes next */
  begin(line: number): void {
    this.#line = line;
    this.#numbered = 0;
    this.#taken = false;
  }

  /** The rows were taken: the next ones are numbered in their place. */
  take(): void {
    this.#taken = true;
  }

  /** Of the byte behind those that were passed. */
  get line(): number {
    return this.#line;
  }

  /**
   * bytes[from, to) were consumed.
   * @param offset of `from` in the file
   * @param rowOffsets of the rows that the decoder holds now, `rows` of them
   */
  pass(
    bytes: Uint8Array,
    from: number,
    to: number,
    offset: number,
    rowOffsets: Float64Array,
    rows: number,
  ): void {
    if (this.#taken) this.#numbered = 0;
    this.#taken = false;
    let at = from;
    for (let row = this.#numbered; row < rows; row++) {
      const start = from + rowOffsets[row]! - offset;
      this.#count(bytes, at, start);
      at = start;
      this.lines[row] = this.#line;
    }
    this.#numbered = rows;
    this.#count(bytes, at, to);
  }

  #count(bytes: Uint8Array, from: number, to: number): void {
    let line = this.#line;
    for (let at = from; at < to; at++) if (bytes[at] === LINE_FEED) line++;
    this.#line = line;
  }
}
