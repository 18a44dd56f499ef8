/** Publishes what checkpoints have promised. Flink: FileCommitter. */
import { failpoint } from '../core/failpoint.ts';
import type { Committable } from '../sink/sink-state.ts';
import type { RecoverableWriter } from '../storage/recoverable-writer.ts';

export class Committer {
  readonly #writer: RecoverableWriter;
  /** Promised by durable checkpoints and not yet published, in the order of their checkpoints. */
  #promised: Committable[];

  /** @param restored what the checkpoint at the start promises: whether or not it was published is not known */
  constructor(writer: RecoverableWriter, restored: readonly Committable[]) {
    this.#writer = writer;
    this.#promised = [...restored];
  }

  /** What the next checkpoint has to promise again. */
  get promised(): readonly Committable[] {
    return this.#promised;
  }

  /** A checkpoint with these committables is durable: from now on they have to become visible, whatever happens. */
  promise(committables: readonly Committable[]): void {
    this.#promised = [...this.#promised, ...committables];
  }

  /**
   * Publishes everything promised. Calls may repeat.
   * @returns what was published
   * @throws SluiceError and everything stays promised: the next call, or the next process, does it again
   */
  async commit(): Promise<readonly Committable[]> {
    const committables = this.#promised;
    if (committables.length === 0) return committables;
    failpoint('commit.before');
    await this.#writer.commit(committables.map(({ file }) => file));
    failpoint('commit.after');
    this.#promised = [];
    return committables;
  }
}
