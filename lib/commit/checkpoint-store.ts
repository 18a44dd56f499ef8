/**
 * The state folder of a job:
 *
 *     <state>/<job>/checkpoints/0000000042.checkpoint    the newest one counts, `retain` of them are kept
 *     <state>/<job>/segments/...                         rows and discovery entries that checkpoints refer to
 *     <state>/<job>/lock.<n>                             see process-lock.ts
 */
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import { isS3Location } from '../core/location.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, segmentsOf } from './checkpoint.ts';

const ID_DIGITS = 10;
const SUFFIX = '.checkpoint';
/** Listings of the folder before reading it is given up, see `load`. */
const MAX_LOAD_ROUNDS = 100;

export class CheckpointStore {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  /** Retained checkpoints, oldest first. */
  #retained: Checkpoint[] = [];
  /** The write under way; never rejects. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(fileSystem: FileSystem, statePath: string) {
    this.#fileSystem = fileSystem;
    this.#folder = statePath;
  }

  get segmentsFolder(): string {
    return `${this.#folder}/segments`;
  }

  /** Checkpoints on storage that recovery could still be asked for, oldest first; as of the last `load` or `write`. */
  get retained(): readonly Checkpoint[] {
    return this.#retained;
  }

  /**
   * The newest checkpoint; null where the job never wrote one.
   * @throws SluiceError STATE_CORRUPT, STATE_VERSION: then nothing may be started, not even from an older checkpoint
   */
  async load(): Promise<Checkpoint | null> {
    for (let round = 0; round < MAX_LOAD_ROUNDS; round++) {
      const ids = await this.#ids();
      const retained: Checkpoint[] = [];
      for (const id of ids) {
        const checkpoint = await this.#read(id);
        if (checkpoint !== null) retained.push(checkpoint);
      }
      // `status` and `gc` read without the lock: a process that runs the job may have retired all that we listed.
      if (retained.at(-1)?.id !== ids.at(-1)) continue;
      this.#retained = retained;
      return retained.at(-1) ?? null;
    }
    throw new SluiceError(
      'STORAGE_FAILED',
      `the checkpoints in ${this.#folder} are replaced faster than they can be read`,
      { hint: 'try again; raise checkpoint.interval if it is a few milliseconds', retryable: true },
    );
  }

  /** null where it is gone. */
  async #read(id: number): Promise<Checkpoint | null> {
    const path = `${this.#folder}/checkpoints/${fileName(id)}`;
    const bytes = await this.#fileSystem.readFile(path);
    if (bytes === null) return null;
    const checkpoint = decodeCheckpoint(bytes, path);
    if (checkpoint.id !== id)
      throw new SluiceError(
        'STATE_CORRUPT',
        `the checkpoint ${fileName(id)} says that it is number ${checkpoint.id}`,
        { hint: 'files in the state folder must not be renamed' },
      );
    return checkpoint;
  }

  /**
   * Writes a checkpoint create-exclusively: the fence between two processes that both believe they run the job.
   * @throws SluiceError FENCED where another process was quicker
   */
  write(checkpoint: Checkpoint, retain: number): Promise<number> {
    const written = this.#write(checkpoint, retain);
    this.#writing = Promise.allSettled([written]);
    return written;
  }

  async #write(checkpoint: Checkpoint, retain: number): Promise<number> {
    const bytes = encodeCheckpoint(checkpoint);
    failpoint('checkpoint.write.before');
    const created = await this.#fileSystem.createExclusive(
      `${this.#folder}/checkpoints/${fileName(checkpoint.id)}`,
      bytes,
    );
    if (!created) throw fenced(checkpoint.id);
    // Old checkpoints are removed, so a process that slept for long could find its number free again: newer ones tell.
    const ids = await this.#ids();
    const newest = ids.at(-1) ?? 0;
    const before = this.#retained.at(-1);
    const isLost = before !== undefined && !ids.includes(before.id);
    if (newest > checkpoint.id || isLost) {
      await this.#fileSystem.remove(`${this.#folder}/checkpoints/${fileName(checkpoint.id)}`);
      if (newest > checkpoint.id) throw fenced(newest);
      // On its own, a checkpoint is no state: it names segments that are gone as well.
      throw new SluiceError('STATE_MISSING', `the state in ${this.#folder} was removed while the job ran`, {
        hint: `checkpoint ${before?.id} was the newest: restore the folder as it was then`,
      });
    }
    failpoint('checkpoint.write.after');
    this.#retained.push(checkpoint);
    while (this.#retained.length > retain) {
      const old = this.#retained.shift()!;
      await this.#fileSystem.remove(`${this.#folder}/checkpoints/${fileName(old.id)}`);
    }
    return bytes.length;
  }

  /**
   * May be asked while a checkpoint is written.
   * @throws SluiceError FENCED where another process has written a newer checkpoint than this one's last
   */
  async proveOwner(): Promise<void> {
    const newest = await this.#newestId();
    // What was listed may be our own: there already, and not known to be until its write has ended.
    await this.#writing;
    if (newest > (this.#retained.at(-1)?.id ?? 0)) throw fenced(newest);
  }

  /** Removes segments that no retained checkpoint refers to. Those of a checkpoint under way are younger and stay. */
  async collectSegments(): Promise<void> {
    const needed = new Set(this.#retained.flatMap((checkpoint) => [...segmentsOf(checkpoint).keys()]));
    const newest = this.#retained.at(-1)?.id ?? 0;
    for (const name of await this.#names('segments')) {
      const id = /^(\d+)-.*\.segment$/.exec(name)?.[1];
      if (id !== undefined && Number(id) <= newest && !needed.has(name))
        await this.#fileSystem.remove(`${this.#folder}/segments/${name}`);
    }
  }

  /** Removes what a crash left of files that were being written (their temporary names). For the holder of the lock. */
  async removeTemporaries(): Promise<void> {
    for (const folder of ['checkpoints', 'segments']) {
      for (const name of await this.#names(folder)) {
        if (/^\..*\.tmp\.[0-9a-f]+$/.test(name))
          await this.#fileSystem.remove(`${this.#folder}/${folder}/${name}`);
      }
    }
  }

  async #newestId(): Promise<number> {
    return (await this.#ids()).at(-1) ?? 0;
  }

  async #ids(): Promise<number[]> {
    return (await this.#names('checkpoints'))
      .filter((name) => /^\d{10,15}\.checkpoint$/.test(name))
      .map((name) => Number(name.slice(0, -SUFFIX.length)))
      .sort((a, b) => a - b);
  }

  async #names(folder: string): Promise<string[]> {
    const path = `${this.#folder}/${folder}`;
    const names: string[] = [];
    try {
      for await (const files of this.#fileSystem.list(path, {
        enterFolder: () => false,
        wantFile: () => true,
        topOnly: true,
      })) {
        for (const file of files) names.push(file.path.slice(path.length + 1));
      }
    } catch (error) {
      // The job never started: nothing else says so. A bucket that is not there is another matter.
      if (SluiceError.from(error).code === 'NOT_FOUND' && !isS3Location(path)) return [];
      throw error;
    }
    return names;
  }
}

function fileName(id: number): string {
  return `${String(id).padStart(ID_DIGITS, '0')}${SUFFIX}`;
}

function fenced(id: number): SluiceError {
  return new SluiceError('FENCED', `checkpoint ${id} was written by another process`, {
    hint: 'another process runs this job: this one stops, and has published nothing that the other does not know of',
  });
}
