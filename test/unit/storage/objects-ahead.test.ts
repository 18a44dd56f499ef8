import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import { randomIds } from '../../../lib/core/ids.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { readFully } from '../../../lib/source/read-range.ts';
import type { FileStatus } from '../../../lib/storage/file-system.ts';
import { S3FileSystem } from '../../../lib/storage/s3/s3-file-system.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';

async function setUp(count: number) {
  const store = new MemoryObjectStore('b');
  for (let i = 0; i < count; i++) store.plant('b', `in/${i}`, `object ${i}`);
  const spec = { ...DEFAULT_S3, retryTimeoutMs: 0 };
  const fileSystem = new S3FileSystem({ store, spec, runId: 'aa', clock: systemClock, ids: randomIds });
  const files: FileStatus[] = [];
  for await (const piece of fileSystem.list('s3://b/in', { enterFolder: () => true, wantFile: () => true }))
    files.push(...piece);
  const read = async (file: FileStatus, offset = 0) => {
    const source = await fileSystem.open(file.path, offset, file);
    const bytes = new Uint8Array(100);
    const text = Buffer.from(bytes.subarray(0, await readFully(source, bytes))).toString();
    await source.close();
    return text;
  };
  const requests = () => store.calls.get('get') ?? 0;
  return { store, fileSystem, files, read, requests };
}

describe('objects read ahead', () => {
  it('are asked for once, and given to whoever opens them, from any byte on', async () => {
    const { fileSystem, files, read, requests } = await setUp(3);
    for (const file of files) fileSystem.readAhead(file.path, file);
    expect(await read(files[0]!)).toBe('object 0');
    expect(await read(files[1]!, 7)).toBe('1');
    expect(await read(files[2]!, 8)).toBe('');
    expect(requests()).toBe(3);
    // Given away once: the memory is the reader's then.
    expect(await read(files[0]!)).toBe('object 0');
    expect(requests()).toBe(4);
  });

  it('one that was replaced after it was listed is noticed as it always is', async () => {
    const { store, fileSystem, files, read } = await setUp(1);
    store.plant('b', 'in/0', 'another');
    fileSystem.readAhead(files[0]!.path, files[0]!);
    await expect(read(files[0]!)).rejects.toMatchObject({ code: 'FILE_MODIFIED' });
  });

  it('one that was read ahead in another version than is wanted is read anew', async () => {
    const { fileSystem, files, read, requests } = await setUp(1);
    const [file] = files;
    fileSystem.readAhead(file!.path, { ...file!, identity: file!.identity! + 1n });
    expect(await read(file!)).toBe('object 0');
    expect(requests()).toBe(2);
  });

  it('a request that failed is made again by the reader, and one that is gone is told by it', async () => {
    const { store, fileSystem, files, read } = await setUp(2);
    store.fail({ operation: 'get', at: 'before', times: 1 });
    fileSystem.readAhead(files[0]!.path, files[0]!);
    expect(await read(files[0]!)).toBe('object 0');
    store.objects.delete('b/in/1');
    fileSystem.readAhead(files[1]!.path, files[1]!);
    await expect(read(files[1]!)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are bounded in number', async () => {
    const { fileSystem, files, read, requests } = await setUp(100);
    for (const file of files) fileSystem.readAhead(file.path, file);
    for (const file of files) expect(await read(file)).toBe(`object ${file.path.slice('s3://b/in/'.length)}`);
    expect(requests()).toBe(100);
    for (const file of files) fileSystem.readAhead(file.path, file);
    await fileSystem.close();
    // Those that had begun end; no more than the bound was begun.
    expect(requests()).toBeLessThanOrEqual(132);
  });
});
