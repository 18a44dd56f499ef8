/**
 * Realms: a root's folder at one identity (device and inode) under one selection of files. Known files belong to one,
 * and are forgotten only by a listing of that very realm: neither an unmounted disk nor an exclude pattern that was
 * added for a day makes them new again.
 *
 * Bounded: numbers of realms that no file belongs to are used again. Should all 65,535 be in use, files of further ones
 * get NO_REALM and are never forgotten, which costs memory and no row.
 */
import { SluiceError } from '../core/errors.ts';
import type { SourceRoot } from './file-selector.ts';
import { NO_REALM } from './known-files.ts';

export interface RealmState {
  /** 1 .. 65535. */
  readonly realm: number;
  readonly folder: string;
  readonly identity: string;
  readonly selection: string;
}

const MAX_REALM = 0xffff;

export class Realms {
  readonly #byKey = new Map<string, RealmState>();

  /** The number of a realm. `inUse` is asked only for a new one: numbers that must not be given away. */
  of(root: SourceRoot, identity: string, inUse: () => ReadonlySet<number>): number {
    const key = keyOf(root.folder, identity, root.selection);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.realm;
    const used = inUse();
    for (const [otherKey, other] of this.#byKey) if (!used.has(other.realm)) this.#byKey.delete(otherKey);
    const taken = new Set([...this.#byKey.values()].map((other) => other.realm));
    let realm = 1;
    while (taken.has(realm)) realm++;
    if (realm > MAX_REALM) return NO_REALM;
    this.#byKey.set(key, { realm, folder: root.folder, identity, selection: root.selection });
    return realm;
  }

  state(): RealmState[] {
    return [...this.#byKey.values()];
  }

  /** @throws SluiceError STATE_CORRUPT */
  restore(states: readonly RealmState[]): void {
    for (const state of states) {
      const { realm, folder, identity, selection } = state;
      const texts = [folder, identity, selection].every((text) => typeof text === 'string');
      if (!Number.isInteger(realm) || realm < 1 || realm > MAX_REALM || !texts) {
        throw new SluiceError('STATE_CORRUPT', `not a realm: ${JSON.stringify(state).slice(0, 200)}`);
      }
      this.#byKey.set(keyOf(folder, identity, selection), { realm, folder, identity, selection });
    }
  }
}

function keyOf(folder: string, identity: string, selection: string): string {
  return `${folder}\0${identity}\0${selection}`;
}
