/** What every FileSystem has to do, beside its RecoverableWriter. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { FileStatus, FileSystem, ListOptions } from '../../../lib/storage/file-system.ts';

export interface FileSystemFixture {
  /** One as a process of its own would have it, over the same storage each time. */
  readonly open: () => FileSystem;
  /** A folder of that storage, in which nothing is yet. */
  readonly folder: string;
}

const all: ListOptions = { enterFolder: () => true, wantFile: () => true };

export function fileSystemSuite(name: string, make: () => Promise<FileSystemFixture>): void {
  describe(`FileSystem contract: ${name}`, () => {
    let fileSystem: FileSystem;
    let folder: string;
    let open: FileSystemFixture['open'];
    beforeEach(async () => {
      ({ open, folder } = await make());
      fileSystem = open();
    });

    const put = (path: string, text: string) =>
      fileSystem.createExclusive(`${folder}/${path}`, Buffer.from(text));
    async function listed(options: ListOptions = all): Promise<string[]> {
      const found: FileStatus[] = [];
      for await (const piece of fileSystem.list(folder, options)) found.push(...piece);
      return found.map(({ path }) => path.slice(folder.length + 1)).sort();
    }
    async function read(path: string, offset: number): Promise<string> {
      const source = await fileSystem.open(`${folder}/${path}`, offset);
      const chunks: Buffer[] = [];
      for (;;) {
        const into = Buffer.alloc(4);
        const length = await source.read(into);
        if (length === 0) break;
        chunks.push(into.subarray(0, length));
      }
      await source.close();
      await source.close();
      return Buffer.concat(chunks).toString();
    }

    it('creates a file once', async () => {
      expect(await put('a/b.txt', 'first')).toBe(true);
      expect(await put('a/b.txt', 'second')).toBe(false);
      expect(Buffer.from((await fileSystem.readFile(`${folder}/a/b.txt`)) ?? '').toString()).toBe('first');
    });

    it('of eight that create one file at once, one wins', async () => {
      const won = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          open().createExclusive(`${folder}/race`, Buffer.from(`writer ${i}`)),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await listed()).toEqual(['race']);
      expect(await read('race', 0)).toBe(`writer ${won.indexOf(true)}`);
    });

    it('lists what is wanted, in folders that are entered', async () => {
      for (const path of [
        'x.json',
        'a/x.json',
        'a/y.csv',
        'a/b/x.json',
        'a-b/x.json',
        '_c/x.json',
        'ä ö/ü+%.json',
      ])
        await put(path, path);
      expect(await listed()).toEqual(
        ['_c/x.json', 'a-b/x.json', 'a/b/x.json', 'a/x.json', 'a/y.csv', 'x.json', 'ä ö/ü+%.json'].sort(),
      );
      const entered: string[] = [];
      const some = await listed({
        enterFolder: (path) => {
          entered.push(path);
          return path === 'a';
        },
        wantFile: (path) => path.endsWith('.json'),
      });
      expect(some).toEqual(['a/x.json', 'x.json']);
      expect(entered).not.toContain('_c/x.json');
      expect(await listed({ enterFolder: () => false, wantFile: () => true, topOnly: true })).toEqual([
        'x.json',
      ]);
      const byPrefix = {
        ...all,
        prefixes: ['a/', 'a/b/', 'ä'],
        wantFile: (path: string) => /^(a\/|ä)/.test(path),
      };
      expect(await listed(byPrefix)).toEqual(['a/b/x.json', 'a/x.json', 'a/y.csv', 'ä ö/ü+%.json']);
    });

    it('leaves out files whose name suffices, and never finds more by that', async () => {
      for (const path of ['known', 'a/known', 'a/new', 'new', '_hidden']) await put(path, path);
      const asked: string[] = [];
      const some = await listed({
        enterFolder: () => true,
        wantFile: (path) => !path.startsWith('_'),
        nameSuffices: (path) => {
          asked.push(path);
          return path.endsWith('/known');
        },
      });
      const wanted = ['a/known', 'a/new', 'known', 'new'];
      // A storage whose listing tells all does not ask.
      expect(some).toEqual(asked.length === 0 ? wanted : ['a/new', 'new']);
      if (asked.length > 0) expect(asked.sort()).toEqual(wanted.map((path) => `${folder}/${path}`).sort());
    });

    it('reads from any byte on, also at and behind the end', async () => {
      await put('digits', '0123456789');
      expect(await read('digits', 0)).toBe('0123456789');
      expect(await read('digits', 7)).toBe('789');
      expect(await read('digits', 10)).toBe('');
      expect(await read('digits', 11)).toBe('');
      await put('empty', '');
      expect(await read('empty', 0)).toBe('');
      expect(await fileSystem.readFile(`${folder}/empty`)).toHaveLength(0);
    });

    it('says what is there, and what is not', async () => {
      await put('a/b.txt', 'text');
      expect(await fileSystem.stat(`${folder}/a/b.txt`)).toMatchObject({ sizeBytes: 4, isFolder: false });
      expect(await fileSystem.stat(`${folder}/a`)).toMatchObject({ isFolder: true });
      expect(await fileSystem.stat(`${folder}/nothing`)).toBeNull();
      expect(await fileSystem.readFile(`${folder}/nothing`)).toBeNull();
      await expect(fileSystem.open(`${folder}/nothing`, 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await fileSystem.folderIdentity(folder)).toEqual(await fileSystem.folderIdentity(folder));
    });

    it('removes, and says whether there was anything', async () => {
      await put('gone', 'text');
      expect(await fileSystem.remove(`${folder}/gone`)).toBe(true);
      expect(await fileSystem.remove(`${folder}/gone`)).toBe(false);
      expect(await fileSystem.stat(`${folder}/gone`)).toBeNull();
    });

    it('removes durably, also what is gone with its folder', async () => {
      await put('some/a', 'text');
      await fileSystem.removeDurably([`${folder}/some/a`, `${folder}/gone/a`, `${folder}/gone/b`]);
      expect(await listed()).toEqual([]);
    });

    it('a version that a listing showed is told from the one that replaced it', async () => {
      await put('file', 'one');
      const before = await fileSystem.stat(`${folder}/file`);
      for await (const [file] of fileSystem.list(folder, all))
        expect(file).toMatchObject({ sizeBytes: 3, path: `${folder}/file`, ...identityOf(before) });
      await fileSystem.remove(`${folder}/file`);
      await put('file', 'two');
      const after = await fileSystem.stat(`${folder}/file`);
      const same = before?.modifiedNs === after?.modifiedNs && before?.identity === after?.identity;
      expect(same).toBe(false);
      if (before?.identity === undefined) return;
      await expect(fileSystem.open(`${folder}/file`, 0, before)).rejects.toMatchObject({
        code: 'FILE_MODIFIED',
      });
    });
  });
}

function identityOf(status: FileStatus | null): Partial<FileStatus> {
  return status?.identity === undefined ? {} : { identity: status.identity };
}
