/** The values of one partition column, as numbers that stand for folder names. */
import { partitionSegment } from './hive-escape.ts';

/** Numbers the distinct folder names of one level. */
export class PartitionValues {
  readonly #key: string;
  #indexes = new Map<string | null, number>();
  segments: string[] = [];

  constructor(key: string) {
    this.#key = key;
  }

  /** @param text the value before escaping; null where there is none */
  index(text: string | null): number {
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const index = this.segments.length;
    this.segments.push(partitionSegment(this.#key, text));
    this.#indexes.set(text, index);
    return index;
  }

  forget(): void {
    this.#indexes = new Map();
    this.segments = [];
  }
}
