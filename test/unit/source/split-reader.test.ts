import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../lib/core/errors.ts';
import { FilesAhead } from '../../../lib/source/files-ahead.ts';
import type { Split } from '../../../lib/source/split.ts';
import { SplitPlanner } from '../../../lib/source/split-planner.ts';
import { Warnings } from '../../../lib/source/warnings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { lineFormat, linesOf } from './line-format.ts';
import { memory, readAll, readerOf, splitOf } from './reading.ts';

const FILE = '/in/a.txt';

function withFile(content: string | Uint8Array) {
  const fileSystem = memory();
  fileSystem.put(FILE, content);
  return fileSystem;
}

/** Warnings, and what they tell. */
function tellingWarnings(): { readonly warnings: Warnings; readonly told: readonly string[] } {
  const told: string[] = [];
  return { told, warnings: new Warnings(new ManualClock(), ({ message }) => told.push(message)) };
}

/** Lines as a decoder is to see them. */
function expectedLines(content: string): string[] {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** Text with lines of all lengths, both line ends, with and without the last one. */
const contents = fc
  .tuple(
    fc.array(fc.tuple(fc.stringMatching(/^[a-zé]{0,40}$/), fc.constantFrom('\n', '\r\n')), { maxLength: 40 }),
    fc.stringMatching(/^[a-z]{0,30}$/),
  )
  .map(([lines, last]) => lines.map(([line, end]) => line + end).join('') + last);

function ranges(fileSystem: ReturnType<typeof memory>, splitSizeBytes: number): Split[] {
  const planner = new SplitPlanner({
    fileSystem,
    splittable: true,
    compression: 'none',
    splitSizeBytes,
    followAppends: false,
    maxRecordBytes: 1 << 20,
  });
  const found: Split[] = [];
  let rest: Split | null = splitOf(fileSystem, FILE, { compression: 'none' });
  while (rest !== null) {
    const [range, next]: [Split, Split | null] = planner.cut(rest);
    found.push(range);
    rest = next;
  }
  return found;
}

describe('reading a split', () => {
  it('H101: batch boundaries smaller than, equal to and a multiple of the file give the same records', async () => {
    const content = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('');
    for (const batchRows of [1, 7, 10, 30, 31]) {
      for (const chunkBytes of [1, 8, 64, 4096]) {
        const fileSystem = withFile(content);
        const reader = readerOf(fileSystem, { batchRows, chunkBytes });
        expect(await readAll(reader, splitOf(fileSystem, FILE))).toEqual(expectedLines(content));
        expect(reader.outcome).toBe('read');
      }
    }
  });

  it('H101: an empty file has no records and its split ends', async () => {
    const fileSystem = withFile('');
    expect(await readAll(readerOf(fileSystem), splitOf(fileSystem, FILE))).toEqual([]);
  });

  it('reads a last line without line end, empty lines and CRLF', async () => {
    const fileSystem = withFile('a\r\n\n\nb');
    expect(await readAll(readerOf(fileSystem), splitOf(fileSystem, FILE))).toEqual(['a', '', '', 'b']);
  });

  it('fills batches across chunks', async () => {
    const fileSystem = withFile('12345678\n'.repeat(1000));
    const reader = readerOf(fileSystem, { chunkBytes: 90, batchRows: 100 });
    await reader.open(splitOf(fileSystem, FILE));
    const sizes: number[] = [];
    for (let batch = await reader.next(); batch !== null; batch = await reader.next())
      sizes.push(batch.length);
    expect(sizes).toEqual(Array(10).fill(100));
  });

  it('keeps the source lines of a batch valid while the batch is used', async () => {
    const content = Array.from({ length: 200 }, (_, i) => `${i}-${'x'.repeat(i % 37)}\n`).join('');
    const fileSystem = withFile(content);
    const reader = readerOf(fileSystem, { keepLines: true, chunkBytes: 128, batchRows: 50 });
    await reader.open(splitOf(fileSystem, FILE));
    const lines: string[] = [];
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      const { bytes, starts, ends } = batch.lines!;
      // Let the read that runs ahead finish first: it must not write here.
      await new Promise(setImmediate);
      for (let row = 0; row < batch.length; row++) {
        lines.push(Buffer.from(bytes.subarray(starts[row]!, ends[row]!)).toString());
      }
    }
    expect(lines).toEqual(expectedLines(content));
  });

  it('each line is in exactly one of the ranges of a file, wherever they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 8 }),
        async (content, splitSizeBytes, chunkBytes, batchRows) => {
          const fileSystem = withFile(content);
          const reader = readerOf(fileSystem, { chunkBytes, batchRows });
          const lines: string[] = [];
          let bytesIn = 0;
          for (const range of ranges(fileSystem, splitSizeBytes)) {
            lines.push(...(await readAll(reader, range))!);
            bytesIn += reader.takeCounts().bytesIn;
          }
          expect(lines).toEqual(expectedLines(content));
          expect(bytesIn).toBe(Buffer.byteLength(content));
          expect(fileSystem.openSources).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('H99, G84: another reader goes on behind the last batch, from every batch boundary, without loss or double', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (content, splitSizeBytes, chunkBytes, batchRows, keepLines) => {
          const fileSystem = withFile(content);
          const options = { chunkBytes, batchRows, keepLines };
          const lines: string[] = [];
          for (const range of ranges(fileSystem, splitSizeBytes)) {
            let split: Split = range;
            for (;;) {
              // A new process for each batch, with nothing but what a checkpoint holds.
              const reader = readerOf(fileSystem, options);
              if (!(await reader.open(JSON.parse(JSON.stringify(split)) as Split))) {
                expect(reader.outcome).toBe('read');
                break;
              }
              const batch = await reader.next();
              if (batch !== null) lines.push(...linesOf(batch));
              split = reader.split();
              await reader.close();
              if (batch === null) break;
            }
          }
          expect(lines).toEqual(expectedLines(content));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives a range and a resumed split the header of the file', async () => {
    const content = `h\n${Array.from({ length: 50 }, (_, i) => `row${i}\n`).join('')}`;
    const fileSystem = withFile(content);
    const lines: string[] = [];
    for (const range of ranges(fileSystem, 40)) {
      let split: Split = range;
      for (;;) {
        const reader = readerOf(fileSystem, { format: lineFormat({ header: true }), batchRows: 3 });
        await reader.open(split);
        const batch = await reader.next();
        if (batch !== null) lines.push(...linesOf(batch));
        split = reader.split();
        await reader.close();
        if (batch === null) break;
      }
    }
    expect(lines).toEqual(Array.from({ length: 50 }, (_, i) => `h:row${i}`));
  });
});

describe('records that are too long', () => {
  const long = 'x'.repeat(500);

  it('are an error that names file, line and offset, however the file is read', async () => {
    for (const chunkBytes of [7, 64, 4096]) {
      const fileSystem = withFile(`a\nb\n${long}\nc\n`);
      const reader = readerOf(fileSystem, { maxRecordBytes: 400, chunkBytes });
      const error = await readAll(reader, splitOf(fileSystem, FILE)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SluiceError);
      expect(error).toMatchObject({
        code: 'RECORD_TOO_LARGE',
        exitCode: 3,
        details: { line: 3, offset: 4, path: FILE },
      });
      expect(fileSystem.openSources).toBe(0);
    }
  });

  it('are left out and counted under skip, and the rest is read, in ranges too', async () => {
    const content = `a\n${long}\nb\n${long}${long}\nc\nd`;
    for (const chunkBytes of [7, 64, 4096]) {
      for (const splitSizeBytes of [3, 100, 10_000]) {
        const fileSystem = withFile(content);
        const { warnings, told } = tellingWarnings();
        const options = { maxRecordBytes: 400, chunkBytes, warnings };
        const reader = readerOf(fileSystem, { ...options, onBadRecord: 'skip' });
        const lines: string[] = [];
        for (const range of ranges(fileSystem, splitSizeBytes))
          lines.push(...(await readAll(reader, range))!);
        expect(lines).toEqual(['a', 'b', 'c', 'd']);
        const counts = reader.takeCounts();
        expect(counts).toMatchObject({ rejected: 2, bytesIn: content.length });
        expect(told[0]).toContain('max_record_size');
      }
    }
  });

  it('may be exactly as long as the limit says', async () => {
    const fileSystem = withFile(`${'x'.repeat(399)}\n${'y'.repeat(400)}`);
    const lines = await readAll(
      readerOf(fileSystem, { maxRecordBytes: 400, chunkBytes: 33 }),
      splitOf(fileSystem, FILE),
    );
    expect(lines?.map((line) => line.length)).toEqual([399, 400]);
  });

  it('cost a number of decodes that grows with the logarithm of their length', async () => {
    const fileSystem = withFile(`${'x'.repeat(1 << 20)}\nend\n`);
    const format = lineFormat();
    let decodes = 0;
    const counting: typeof format = {
      ...format,
      createDecoder(options) {
        const decoder = format.createDecoder(options);
        const decode = decoder.decode.bind(decoder);
        decoder.decode = (...args) => {
          decodes++;
          return decode(...args);
        };
        return decoder;
      },
    };
    const reader = readerOf(fileSystem, { format: counting, chunkBytes: 1024, maxRecordBytes: 1 << 22 });
    expect((await readAll(reader, splitOf(fileSystem, FILE)))?.map((line) => line.length)).toEqual([
      1 << 20,
      3,
    ]);
    expect(decodes).toBeLessThan(20);
  });
});

describe('bad records', () => {
  it('stop reading under fail, with file, line, offset, column and the value', async () => {
    const fileSystem = withFile(`one\ntwo\n${'\u001b[31m'}BAD ${'z'.repeat(300)}\nfour\n`);
    const error = await readAll(readerOf(fileSystem), splitOf(fileSystem, FILE)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'BAD_RECORD',
      exitCode: 3,
      details: { line: 3, offset: 8, column: 'line' },
    });
    const { message } = error as SluiceError;
    expect(message).toContain(`${FILE}, line 3 (byte 8), column 'line': it is bad`);
    expect(message).toContain('\\u{1b}[31mBAD zzz');
    expect(message).not.toContain('\u001b');
    expect(message.length).toBeLessThan(400);
    expect(fileSystem.openSources).toBe(0);
  });

  it('of a file that is still being written come with that explanation', async () => {
    const fileSystem = withFile('one\nBAD');
    const reader = readerOf(fileSystem, { batchRows: 1 });
    await reader.open(splitOf(fileSystem, FILE));
    await reader.next();
    fileSystem.append(FILE, 'minton\n', 9n);
    const error = await reader.next().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'BAD_RECORD',
      details: { line: 2 },
      hint: expect.stringContaining('min_age'),
    });
  });

  it('are left out and counted under skip', async () => {
    const fileSystem = withFile('one\nBAD\nthree\n'.repeat(50));
    const { warnings, told } = tellingWarnings();
    const reader = readerOf(fileSystem, { onBadRecord: 'skip', batchRows: 7, warnings });
    expect(await readAll(reader, splitOf(fileSystem, FILE))).toHaveLength(100);
    expect(reader.takeCounts().rejected).toBe(50);
    // Bounded: ten warnings, not fifty.
    expect(told).toHaveLength(10);
    expect(reader.split().position.records).toBe(150);
  });
});

describe('files that are gone or change', () => {
  it('a file that vanished between listing and reading is missing, not a crash', async () => {
    const fileSystem = withFile('a\n');
    const split = splitOf(fileSystem, FILE);
    fileSystem.files.delete(FILE);
    const reader = readerOf(fileSystem);
    expect(await reader.open(split)).toBe(false);
    expect(reader.outcome).toBe('missing');
  });

  it('so is one that vanishes between looking and opening', async () => {
    const fileSystem = withFile('a\n');
    const split = splitOf(fileSystem, FILE);
    fileSystem.fail({ operation: 'open', action: () => fileSystem.files.delete(FILE) });
    const reader = readerOf(fileSystem);
    expect(await reader.open(split)).toBe(false);
    expect(reader.outcome).toBe('missing');
  });

  it('a file that changed before it was read is not read', async () => {
    for (const change of ['grown', 'touched'] as const) {
      const fileSystem = withFile('a\n');
      const split = splitOf(fileSystem, FILE);
      if (change === 'grown') fileSystem.append(FILE, 'b\n');
      else fileSystem.touch(FILE, 5n);
      const reader = readerOf(fileSystem);
      expect(await reader.open(split)).toBe(false);
      expect(reader.outcome).toBe('changed');
    }
  });

  it('a file that changes while it is read is said to have, and nothing behind its listed end is read', async () => {
    const fileSystem = withFile('a\nb\n');
    const reader = readerOf(fileSystem, { batchRows: 1 });
    await reader.open(splitOf(fileSystem, FILE));
    expect(linesOf((await reader.next())!)).toEqual(['a']);
    fileSystem.append(FILE, 'c\n', 9n);
    expect(linesOf((await reader.next())!)).toEqual(['b']);
    expect(await reader.next()).toBeNull();
    expect(reader.outcome).toBe('changed');
  });

  it('a small file that was read ahead is read as it was listed, whatever becomes of it, and no other way', async () => {
    for (const content of ['a\nb\n', gzipSync('a\nb\n')]) {
      for (const modified of ['ignore', 'fail'] as const) {
        const fileSystem = withFile(content);
        const ahead = new FilesAhead(fileSystem);
        const reader = readerOf(fileSystem, { ahead, modified, batchRows: 1 });
        const split = splitOf(fileSystem, FILE);
        ahead.add(split);
        await reader.open(split);
        fileSystem.put(FILE, 'another', 9n);
        expect(linesOf((await reader.next())!)).toEqual(['a']);
        const position = reader.split();
        expect(linesOf((await reader.next())!)).toEqual(['b']);
        expect(await reader.next()).toBeNull();
        expect(reader.outcome).toBe('read');
        // Whoever goes on with it has the same bytes, until its split is done.
        expect(await readAll(reader, position)).toEqual(['b']);
        ahead.drop(split);
        const opening = reader.open(position);
        if (modified === 'fail') await expect(opening).rejects.toMatchObject({ code: 'FILE_MODIFIED' });
        else {
          expect(await opening).toBe(false);
          expect(reader.outcome).toBe('changed');
        }
        await ahead.close();
        expect(fileSystem.openSources).toBe(0);
      }
    }
  });

  it('goes on in a small file that was read ahead', async () => {
    for (const content of ['a\nb\nc\n', gzipSync('a\nb\nc\n')]) {
      const fileSystem = withFile(content);
      const ahead = new FilesAhead(fileSystem);
      const reader = readerOf(fileSystem, { ahead, batchRows: 1 });
      await reader.open(splitOf(fileSystem, FILE));
      await reader.next();
      const position = reader.split();
      ahead.add(position);
      const opened = fileSystem.calls.get('open');
      expect(await readAll(reader, position)).toEqual(['b', 'c']);
      expect(fileSystem.calls.get('open')).toBe(opened);
    }
  });

  it('is an error under modified: fail, when opened and at the end', async () => {
    const fileSystem = withFile('a\n');
    const split = splitOf(fileSystem, FILE);
    fileSystem.touch(FILE, 5n);
    const reader = readerOf(fileSystem, { modified: 'fail' });
    await expect(reader.open(split)).rejects.toMatchObject({ code: 'FILE_MODIFIED', exitCode: 3 });
    await reader.open(splitOf(fileSystem, FILE));
    fileSystem.touch(FILE, 6n);
    await reader.next();
    await expect(reader.next()).rejects.toMatchObject({ code: 'FILE_MODIFIED' });
    expect(fileSystem.openSources).toBe(0);
  });

  it('may grow under modified: append, because its split ends before what is added', async () => {
    const fileSystem = withFile('a\nb\n');
    const split = splitOf(fileSystem, FILE, { endByte: 4 });
    fileSystem.append(FILE, 'c\n', 9n);
    const reader = readerOf(fileSystem, { modified: 'append' });
    expect(await readAll(reader, split)).toEqual(['a', 'b']);
    expect(reader.outcome).toBe('read');
  });

  it('G89, H100: an error in open or read surfaces and leaves nothing open', async () => {
    const fileSystem = withFile('a\n'.repeat(10_000));
    const reader = readerOf(fileSystem, { batchRows: 10 });
    fileSystem.fail({ operation: 'open' });
    await expect(reader.open(splitOf(fileSystem, FILE))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    fileSystem.fail({ operation: 'read', skip: 2 });
    await expect(readAll(reader, splitOf(fileSystem, FILE))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    expect(fileSystem.openSources).toBe(0);
    // The reader is as good as new.
    expect(await readAll(reader, splitOf(fileSystem, FILE))).toHaveLength(10_000);
  });
});

describe('compressed files', () => {
  const rows = Array.from({ length: 300 }, (_, i) => `row ${i} ${'x'.repeat(i % 40)}`);
  const members = [rows.slice(0, 100), rows.slice(100)].map((part) =>
    gzipSync(part.map((row) => `${row}\n`).join('')),
  );

  it('H94: gz files are never cut; all members are read, and resumed behind the last batch', async () => {
    const fileSystem = withFile(Buffer.concat(members));
    const lines: string[] = [];
    let split: Split = splitOf(fileSystem, FILE);
    for (;;) {
      const reader = readerOf(fileSystem, { batchRows: 70 });
      await reader.open(split);
      const batch = await reader.next();
      if (batch !== null) lines.push(...linesOf(batch));
      split = reader.split();
      await reader.close();
      if (batch === null) break;
    }
    expect(lines).toEqual(rows);
    const reader = readerOf(fileSystem);
    await readAll(reader, splitOf(fileSystem, FILE));
    expect(reader.takeCounts().bytesIn).toBe(fileSystem.files.get(FILE)!.bytes.length);
    const planner = new SplitPlanner({
      fileSystem,
      splittable: true,
      compression: 'auto',
      splitSizeBytes: 100,
      followAppends: false,
      maxRecordBytes: 1000,
    });
    const status = (await fileSystem.stat(FILE))!;
    expect(planner.planUnseen(status)).toBeNull();
    expect(await planner.plan(status, null)).toMatchObject({
      compression: 'gzip',
      startByte: 0,
      endByte: null,
    });
    expect(planner.cut(splitOf(fileSystem, FILE, { compression: 'gzip' }))[1]).toBeNull();
  });

  it('name the line of a bad record in the decompressed file', async () => {
    const fileSystem = withFile(gzipSync('one\ntwo\nBAD\n'));
    await expect(readAll(readerOf(fileSystem), splitOf(fileSystem, FILE))).rejects.toMatchObject({
      code: 'BAD_RECORD',
      details: { line: 3, offset: 8 },
    });
  });

  it('give the rows before the tear first', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `row ${(i * 7919) % 10_007}`);
    const whole = gzipSync(lines.map((line) => `${line}\n`).join(''));
    const found: string[] = [];
    const fileSystem = withFile(whole.subarray(0, whole.length / 2));
    // All that can be had of it fits into a chunk.
    const reader = readerOf(fileSystem, { chunkBytes: 1 << 20 });
    expect(await reader.open(splitOf(fileSystem, FILE))).toBe(true);
    const readOn = async () => {
      for (let batch = await reader.next(); batch !== null; batch = await reader.next())
        found.push(...linesOf(batch));
    };
    await expect(readOn()).rejects.toMatchObject({ code: 'INPUT_CORRUPT' });
    expect(found.length).toBeGreaterThan(lines.length / 4);
    expect(found).toEqual(lines.slice(0, found.length));
  });

  it('are an error when torn, and just changed when they are still being written', async () => {
    const whole = Buffer.concat(members);
    const fileSystem = withFile(whole.subarray(0, whole.length - 20));
    const reader = readerOf(fileSystem);
    await expect(readAll(reader, splitOf(fileSystem, FILE))).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
      exitCode: 3,
    });
    await reader.open(splitOf(fileSystem, FILE));
    fileSystem.put(FILE, whole, 9n);
    while ((await reader.next()) !== null);
    expect(reader.outcome).toBe('changed');
    expect(await readAll(reader, splitOf(fileSystem, FILE))).toEqual(rows);
    expect(fileSystem.openSources).toBe(0);
  });
});
