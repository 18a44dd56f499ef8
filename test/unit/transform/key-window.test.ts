/** The window of keys against a list that is searched from end to end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyWindow } from '../../../lib/transform/key-window.ts';

class Model {
  readonly #keys: string[] = [];
  readonly #rows: number;

  constructor(rows: number) {
    this.#rows = rows;
  }

  add(key: string): boolean {
    if (this.#keys.includes(key)) return false;
    this.#keys.push(key);
    if (this.#keys.length > this.#rows) this.#keys.shift();
    return true;
  }
}

const keys = fc.array(
  fc.integer({ min: 0, max: 60 }).map((n) => `key ${n}`),
  { maxLength: 400 },
);

describe('KeyWindow', () => {
  it('answers as the model does, whenever it is captured and restored', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), keys, fc.nat(50), (rows, given, every) => {
        const model = new Model(rows);
        let window = new KeyWindow(['id'], rows);
        for (const [i, key] of given.entries()) {
          if (every > 0 && i % every === 0) {
            const next = new KeyWindow(['id'], rows);
            next.restore(window.capture());
            window = next;
          }
          expect(window.add(key)).toBe(model.add(key));
        }
      }),
    );
  });

  it('a smaller one takes over the newest keys, one of other columns none', () => {
    const window = new KeyWindow(['id'], 10);
    for (let i = 0; i < 25; i++) window.add(`${i}`);
    const smaller = new KeyWindow(['id'], 3);
    smaller.restore(window.capture());
    expect(smaller.size).toBe(3);
    expect(['22', '23', '24'].map((key) => smaller.add(key))).toEqual([false, false, false]);
    expect(smaller.add('21')).toBe(true);
    const other = new KeyWindow(['id', 'site'], 10);
    other.restore(window.capture());
    expect(other.size).toBe(0);
  });
});
