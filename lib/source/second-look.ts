/**
 * PROCESS_ONCE: whether the source has to be listed once more. A file that was being read when the listing passed, because
 * a start went on with it, may have got more since: nothing else would ever read that. Once more and not as often as there
 * is more, because a file that grows for ever must not keep a run from ending: what was there at its start is read.
 */
export class SecondLook {
  #state: 'none' | 'wanted' | 'begun' = 'none';

  /** There is more than was taken of a file that is being read. */
  want(): void {
    if (this.#state === 'none') this.#state = 'wanted';
  }

  get isWanted(): boolean {
    return this.#state === 'wanted';
  }

  /** Not while a file is being read: it would be passed over again. */
  begin(): void {
    this.#state = 'begun';
  }
}
