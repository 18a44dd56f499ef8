/**
 * What every RecoverableWriter has to do (cases F59 to F70 of the acceptance list). A new kind of storage earns trust
 * with two lines: import this, and call it with a way to make the storage.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecoverableWriter, ResumePoint } from '../../../lib/storage/recoverable-writer.ts';

export interface RecoverableWriterFixture {
  /** A writer as a fresh process would have it, over the same storage each time. */
  readonly writer: () => RecoverableWriter;
  /** A folder of that storage, in which nothing is yet. */
  readonly folder: string;
  /** Names of all files in the folder, hidden ones included. */
  readonly names: () => Promise<string[]>;
  readonly read: (path: string) => Promise<string | null>;
  /** Puts a file there behind the writer's back. */
  readonly plant: (path: string, text: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);
/** What crosses a checkpoint is JSON. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const visible = (names: string[]) => names.filter((name) => !/^[._]/.test(name));

export function recoverableWriterSuite(name: string, make: () => Promise<RecoverableWriterFixture>): void {
  describe(`RecoverableWriter contract: ${name}`, () => {
    let fixture: RecoverableWriterFixture;
    let target: string;
    beforeEach(async () => {
      fixture = await make();
      target = `${fixture.folder}/dt=1/part-0.txt`;
    });
    afterEach(() => fixture.dispose());

    it('F59: closing with no data and committing makes an empty file', async () => {
      const file = await fixture.writer().open(target, null);
      await fixture.writer().commit([await file.closeForCommit()]);
      expect(await fixture.read(target)).toBe('');
    });

    it('F60: data is at the target after commit, and only under a hidden name before', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('hello'));
      const pending = await file.closeForCommit();
      expect(visible(await fixture.names())).toEqual([]);
      expect(await fixture.read(target)).toBeNull();
      await fixture.writer().commit([stored(pending)]);
      expect(await fixture.read(target)).toBe('hello');
      expect(await fixture.names()).toEqual(['part-0.txt']);
    });

    it('F61: write, persist, write, commit gives both', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      await file.persist();
      await file.write(bytes('B'));
      await fixture.writer().commit([await file.closeForCommit()]);
      expect(await fixture.read(target)).toBe('AB');
    });

    for (const [at, content] of [
      [0, ''],
      [1, 'A'],
      [2, 'A'],
      [3, 'AB'],
    ] as const) {
      it(`F62: resumes from persist ${at} with '${content}', and ends as one file`, async () => {
        const file = await fixture.writer().open(target, null);
        const points: ResumePoint[] = [await file.persist()];
        await file.write(bytes('A'));
        points.push(await file.persist(), await file.persist());
        await file.write(bytes('B'));
        points.push(await file.persist());
        await file.write(bytes('lost with the crash'));
        await file.release();
        const resumed = await fixture.writer().recover(stored(points[at]!));
        expect(resumed.lengthBytes).toBe(content.length);
        await resumed.write(bytes('C'));
        await fixture.writer().commit([await resumed.closeForCommit()]);
        expect(await fixture.read(target)).toBe(`${content}C`);
        expect(await fixture.names()).toEqual(['part-0.txt']);
      });
    }

    it('F63: a fresh process commits from the stored shape, as often as it likes', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('once'));
      const pending = stored(await file.closeForCommit());
      for (let i = 0; i < 3; i++) await fixture.writer().commit([pending]);
      expect(await fixture.read(target)).toBe('once');
      expect(await fixture.names()).toEqual(['part-0.txt']);
    });

    it('F64: writing after closeForCommit is an error', async () => {
      const file = await fixture.writer().open(target, null);
      await file.closeForCommit();
      await expect(file.write(bytes('x'))).rejects.toMatchObject({ code: 'STEP_ILLEGAL' });
      await expect(file.persist()).rejects.toMatchObject({ code: 'STEP_ILLEGAL' });
    });

    it('F65: resuming a file that was committed is an error', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      const point = await file.persist();
      await fixture.writer().commit([await file.closeForCommit()]);
      await expect(fixture.writer().recover(point)).rejects.toMatchObject({ code: 'PART_MISSING' });
      expect(await fixture.read(target)).toBe('A');
    });

    it('F66: resuming at a later point after resuming at an earlier one is an error', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      const first = await file.persist();
      await file.write(bytes('B'));
      const second = await file.persist();
      await file.release();
      const resumed = await fixture.writer().recover(first);
      await resumed.persist();
      await resumed.release();
      await expect(fixture.writer().recover(second)).rejects.toMatchObject({ code: 'PART_MISSING' });
    });

    it('F67: what closeForCommit returned is complete for a fresh process', async () => {
      const file = await fixture.writer().open(target, null);
      const text = 'x'.repeat(300_000);
      await file.write(bytes(text));
      const pending = await file.closeForCommit();
      expect(pending.lengthBytes).toBe(text.length);
      await fixture.writer().commit([stored(pending)]);
      expect(await fixture.read(target)).toBe(text);
    });

    it('files written in one go are as those that were opened, written and closed, however many at once', async () => {
      const writer = fixture.writer();
      const texts = ['', 'A', 'x'.repeat(300_000), ...Array.from({ length: 40 }, (_, i) => `row ${i}`)];
      const names = texts.map((_, i) => `part-${i}.txt`);
      const pending = await Promise.all(
        texts.map((text, i) =>
          writer.writeWhole(`${fixture.folder}/dt=${i % 3}/${names[i]}`, null, bytes(text)),
        ),
      );
      expect(pending.map(({ lengthBytes }) => lengthBytes)).toEqual(texts.map(({ length }) => length));
      expect(visible(await fixture.names())).toEqual([]);
      await fixture.writer().commit(pending.map(stored));
      for (const [i, text] of texts.entries())
        expect(await fixture.read(`${fixture.folder}/dt=${i % 3}/${names[i]}`)).toBe(text);
      expect((await fixture.names()).sort()).toEqual(names.sort());
    });

    it('F68: many persists without writes leave nothing behind', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      for (let i = 0; i < 50; i++) expect(await file.persist()).toMatchObject({ lengthBytes: 1 });
      await fixture.writer().commit([await file.closeForCommit()]);
      expect(await fixture.names()).toEqual(['part-0.txt']);
    });

    it('F69: what was not persisted is gone after recovery, even where it had been written', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('kept'));
      const point = await file.persist();
      await file.write(bytes('y'.repeat(100_000)));
      await file.release();
      const resumed = await fixture.writer().recover(point);
      await fixture.writer().commit([await resumed.closeForCommit()]);
      expect(await fixture.read(target)).toBe('kept');
    });

    it('F70: discarding leaves nothing, as often as it is called', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      await file.discard();
      await file.discard();
      expect(await fixture.names()).toEqual([]);
    });

    it('F75: what a checkpoint keeps of a file comes back equal from JSON: empty, grown, resumed, closed', async () => {
      const file = await fixture.writer().open(target, null);
      const empty = await file.persist();
      await file.write(bytes('AB'));
      const grown = await file.persist();
      await file.write(bytes('lost'));
      await file.release();
      const resumed = await fixture.writer().recover(stored(grown));
      await resumed.write(bytes('C'));
      const later = await resumed.persist();
      const closed = await resumed.closeForCommit();
      for (const point of [empty, grown, later, closed]) expect(stored(point)).toEqual(point);
      expect([empty, grown, later, closed].map(({ lengthBytes }) => lengthBytes)).toEqual([0, 2, 3, 3]);
      await fixture.writer().commit([stored(closed)]);
      expect(await fixture.read(target)).toBe('ABC');
    });

    it('goes on after release: another write opens the file again', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      await file.release();
      await file.release();
      await file.write(bytes('B'));
      await fixture.writer().commit([await file.closeForCommit()]);
      expect(await fixture.read(target)).toBe('AB');
    });

    it('cleanup removes the hidden file once, and says so', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      const point = await file.persist();
      await file.release();
      expect(await fixture.writer().cleanup(point)).toBe(true);
      expect(await fixture.writer().cleanup(point)).toBe(false);
      expect(await fixture.names()).toEqual([]);
    });

    it('never replaces a file that stands under the final name', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('ours'));
      const pending = await file.closeForCommit();
      await fixture.plant(target, "somebody else's");
      await expect(fixture.writer().commit([pending])).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
      expect(await fixture.read(target)).toBe("somebody else's");
      expect(await fixture.read(pending.hiddenPath)).toBe('ours');
    });

    it('stops where neither the hidden nor the final file is there', async () => {
      const file = await fixture.writer().open(target, null);
      await file.write(bytes('A'));
      const pending = await file.closeForCommit();
      await fixture.remove(pending.hiddenPath);
      await expect(fixture.writer().commit([pending])).rejects.toMatchObject({ code: 'PART_MISSING' });
    });

    it('commits many files in many folders at once, and all of them again', async () => {
      const pending: ResumePoint[] = [];
      for (let i = 0; i < 60; i++) {
        const file = await fixture.writer().open(`${fixture.folder}/dt=${i % 7}/part-${i}.txt`, null);
        await file.write(bytes(`row ${i}`));
        pending.push(await file.closeForCommit());
      }
      await fixture.writer().commit(pending.slice(0, 30));
      await fixture.writer().commit(pending);
      for (let i = 0; i < 60; i++)
        expect(await fixture.read(`${fixture.folder}/dt=${i % 7}/part-${i}.txt`)).toBe(`row ${i}`);
      expect((await fixture.names()).length).toBe(60);
    });
  });
}
