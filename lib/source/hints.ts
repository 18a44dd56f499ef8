/**
 * What is said to have happened, until a scan has looked at it: names of files, or something somewhere. Bounded: what is
 * too much to be looked at one by one is looked at by a listing.
 */

/** A listing of 1,000 files is one request, a look at one file is another. */
const MAX_NAMED = 1000;

/** What one scan answers. */
export interface HintBatch {
  /** null: whatever there is, by a listing. */
  readonly names: readonly string[] | null;
  /** Resolves to true once a scan that began after the hints has ended; false where none will. */
  readonly seen: Promise<boolean>;
  readonly settle: (seen: boolean) => void;
}

export class Hints {
  #names = new Set<string>();
  #everything = false;
  #closed = false;
  #next = promised();

  /** @returns when it was looked at; the same promise for all hints that one scan will answer */
  add(names: readonly string[] | null): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    if (names === null) this.#everything = true;
    else for (const name of names) if (!this.#everything) this.#names.add(name);
    if (this.#names.size > MAX_NAMED) this.#everything = true;
    if (this.#everything) this.#names.clear();
    return this.#next.seen;
  }

  /** Whether there are hints, and a look at the files that they name answers all of them. */
  get areNamed(): boolean {
    return this.#names.size > 0;
  }

  /** All hints so far. Whoever takes them settles them, or gives them back. */
  take(): HintBatch {
    const batch = { names: this.#everything ? null : [...this.#names], ...this.#next };
    this.#names = new Set();
    this.#everything = false;
    this.#next = promised();
    return batch;
  }

  /** What was taken could not be looked at by name: the next listing answers it. */
  giveBack({ settle }: HintBatch): void {
    void this.add(null).then(settle);
  }

  /** Calls may repeat. */
  close(): void {
    this.#closed = true;
    this.#next.settle(false);
  }
}

function promised(): Pick<HintBatch, 'seen' | 'settle'> {
  let settle: (seen: boolean) => void = () => {};
  const seen = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { seen, settle };
}
