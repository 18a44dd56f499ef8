/** A disk that takes its time: it counts what is on its way to it, and looks at bytes only when they arrive. */
import type { OpenFile, PendingFile, RecoverableWriter } from '../../lib/storage/recoverable-writer.ts';

const TURNS = 5;

export class SlowDisk implements RecoverableWriter {
  readonly supportsResume = true;
  waitingBytes = 0;
  writtenBytes = 0;
  mostWaitingBytes = 0;
  /** Handles given back though more is done with the file. */
  released = 0;
  onWrite = () => {};
  readonly #keep: Map<string, Buffer> | null;

  /** @param files what arrived, by name; null: it is counted and forgotten */
  constructor(files: Map<string, Buffer> | null = null) {
    this.#keep = files;
  }

  async open(finalPath: string): Promise<OpenFile> {
    let lengthBytes = 0;
    const point = () => ({ hiddenPath: `${finalPath}.hidden`, finalPath, lengthBytes });
    return {
      finalPath,
      get lengthBytes() {
        return lengthBytes;
      },
      write: async (bytes) => {
        this.onWrite();
        this.waitingBytes += bytes.length;
        this.mostWaitingBytes = Math.max(this.mostWaitingBytes, this.waitingBytes);
        for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
        this.waitingBytes -= bytes.length;
        this.writtenBytes += bytes.length;
        lengthBytes += bytes.length;
        this.#keep?.set(finalPath, Buffer.concat([this.#keep.get(finalPath) ?? Buffer.alloc(0), bytes]));
      },
      persist: async () => point(),
      closeForCommit: async () => point(),
      discard: async () => {},
      release: async () => {
        this.released++;
      },
    };
  }

  async writeWhole(finalPath: string, _hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile> {
    const file = await this.open(finalPath);
    await file.write(bytes);
    return file.closeForCommit();
  }

  recover(): Promise<OpenFile> {
    return Promise.reject(new Error('nothing was kept'));
  }

  async commit(): Promise<void> {}

  async cleanup(): Promise<boolean> {
    return false;
  }
}
