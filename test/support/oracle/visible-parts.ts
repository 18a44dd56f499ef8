/**
 * I3 watched over time: a visible part never changes and never disappears. Observe as often as you like while the
 * program runs, is killed and starts again; each observation holds the lake against all earlier ones.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { listLake } from './lake-files.ts';
import { tableFormat } from './table-file.ts';
import type { Violation } from './violation.ts';

interface Seen {
  readonly sizeBytes: number;
  readonly hash: string;
}

export class VisibleParts {
  readonly #lake: string;
  readonly #seen = new Map<string, Seen>();
  /** A part that is gone or different is reported once. */
  readonly #reported = new Set<string>();
  readonly violations: Violation[] = [];

  constructor(lake: string) {
    this.#lake = lake;
  }

  /** Parts seen so far, those that are gone included. */
  get count(): number {
    return this.#seen.size;
  }

  /** Takes note of new parts, reads the known ones again. Gives what this observation found wrong. */
  async observe(): Promise<readonly Violation[]> {
    const found: Violation[] = [];
    const listed = (await listLake(this.#lake)).visible.filter((name) => tableFormat(name) !== null);
    for (const name of new Set([...this.#seen.keys(), ...listed])) {
      if (this.#reported.has(name)) continue;
      const violation = this.#compare(name, await this.#look(name));
      if (violation === null) continue;
      this.#reported.add(name);
      found.push(violation);
    }
    this.violations.push(...found);
    return found;
  }

  #compare(name: string, now: Seen | null): Violation | null {
    const before = this.#seen.get(name);
    if (now === null) return { kind: 'vanished part', what: `${name}: was visible and is gone` };
    if (before === undefined) {
      this.#seen.set(name, now);
      return null;
    }
    if (before.hash === now.hash) return null;
    return {
      kind: 'changed part',
      what: `${name}: ${before.sizeBytes} bytes (${before.hash}) when first seen, now ${now.sizeBytes} (${now.hash})`,
    };
  }

  async #look(name: string): Promise<Seen | null> {
    try {
      const bytes = await readFile(path.join(this.#lake, name));
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
      return { sizeBytes: bytes.length, hash };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }
}
