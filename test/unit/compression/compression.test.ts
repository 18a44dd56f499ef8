import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCompressor } from '../../../formats/compression/compressor.ts';
import { decompressed } from '../../../formats/compression/decompress.ts';
import { detectCompression } from '../../../formats/compression/detect.ts';
import type { ByteSource } from '../../../lib/core/byte-source.ts';
import { seededRandom } from '../../support/generate.ts';

/** Bytes in pieces of at most `piece`. */
function sourceOf(bytes: Uint8Array, piece = 1000): ByteSource & { readonly taken: () => number } {
  let at = 0;
  return {
    async read(into) {
      const size = Math.min(into.length, piece, bytes.length - at);
      into.set(bytes.subarray(at, at + size));
      at += size;
      return size;
    },
    close: async () => {},
    taken: () => at,
  };
}

async function readAll(source: ByteSource, chunk = 4096): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const into = new Uint8Array(chunk);
    const read = await source.read(into);
    if (read === 0) break;
    parts.push(into.subarray(0, read));
  }
  await source.close();
  return Buffer.concat(parts);
}

for (const kind of ['gzip', 'zstd'] as const) {
  describe(kind, () => {
    it('gives back what was compressed, in members of any size, read in pieces of any size', async () => {
      const { compress } = await loadCompressor(kind);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 500 }),
          fc.integer({ min: 1, max: 5000 }),
          async (members, piece, chunk) => {
            const file = Buffer.concat(members.map((member) => compress(member)));
            expect(detectCompression(file)).toBe(kind);
            const read = await readAll(decompressed(sourceOf(file, piece), kind, 'f'), chunk);
            expect(Buffer.from(read).equals(Buffer.concat(members))).toBe(true);
          },
        ),
        { numRuns: 40 },
      );
    });

    it('a torn file is an error at every length, never a short file', async () => {
      const { compress } = await loadCompressor(kind);
      const text = Buffer.from('a line of text\n'.repeat(40) + Math.PI.toString().repeat(20));
      const first = compress(text);
      const file = Buffer.concat([first, compress(text)]);
      for (let length = 1; length < file.length; length++) {
        // Between two members a file cannot be told from a whole one.
        if (length === first.length) continue;
        await expect(
          readAll(decompressed(sourceOf(file.subarray(0, length)), kind, 'torn.file')),
        ).rejects.toMatchObject({
          code: 'INPUT_CORRUPT',
          message: expect.stringContaining('torn.file'),
        });
      }
    });

    it('a file of no bytes has no bytes', async () => {
      expect(await readAll(decompressed(sourceOf(new Uint8Array(0)), kind, 'f'))).toHaveLength(0);
    });

    it('rubbish is an error', async () => {
      await expect(
        readAll(decompressed(sourceOf(Buffer.from('not compressed at all')), kind, 'f')),
      ).rejects.toMatchObject({
        code: 'INPUT_CORRUPT',
      });
    });

    it('a bomb is read as far as it is asked for', async () => {
      const { compress } = await loadCompressor(kind);
      const bomb = Buffer.concat(Array.from({ length: 8 }, () => compress(new Uint8Array(8 << 20))));
      const source = sourceOf(bomb, 512);
      const reader = decompressed(source, kind, 'bomb');
      expect(await reader.read(new Uint8Array(1000))).toBe(1000);
      expect(source.taken()).toBeLessThanOrEqual(64 * 1024 * 4);
      await reader.close();
    });
  });
}

describe('gzip', () => {
  it('tolerates zeros behind the last member, as gzip does', async () => {
    const file = Buffer.concat([gzipSync('rows'), Buffer.alloc(512)]);
    expect(Buffer.from(await readAll(decompressed(sourceOf(file), 'gzip', 'f'))).toString()).toBe('rows');
  });

  it('refuses other bytes behind it', async () => {
    const file = Buffer.concat([gzipSync('rows'), Buffer.from('more')]);
    await expect(readAll(decompressed(sourceOf(file), 'gzip', 'f'))).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
    });
  });
});

describe('what other tools wrote', () => {
  const TEXT = Buffer.from(
    Array.from({ length: 20_000 }, (_, i) => `{"id":${i},"word":"w${(i * 7919) % 1000}"}\n`).join(''),
  );
  const golden = (name: string) =>
    readFileSync(path.resolve(import.meta.dirname, '../../golden/compression', name));
  /** Each is TEXT, but for `zeros`: 4 MiB of them. */
  const FILES = [
    ['bzip2', 'text.bz2', 'zeros.bz2'],
    ['lz4', 'text.lz4', 'zeros.lz4'],
    ['snappy', 'text.sz', 'zeros.sz'],
  ] as const;

  for (const [kind, name, zeros] of FILES) {
    describe(kind, () => {
      const file = golden(name);

      it('is told by its first bytes, and read in pieces of any size', async () => {
        expect(detectCompression(file)).toBe(kind);
        for (const piece of [1000, 65_536, 7]) {
          const read = await readAll(decompressed(sourceOf(file, piece), kind, 'f'));
          expect(Buffer.from(read).equals(TEXT), `${piece}`).toBe(true);
        }
      });

      it('several members one after the other are one file', async () => {
        const twice = await readAll(decompressed(sourceOf(Buffer.concat([file, file])), kind, 'f'));
        expect(Buffer.from(twice).equals(Buffer.concat([TEXT, TEXT]))).toBe(true);
      });

      it('torn anywhere it is an error, never a short file', async () => {
        // Between two chunks of a snappy stream nothing tells that it goes on: the format has no end.
        const ends = kind === 'snappy' ? chunkEnds(file) : new Set<number>();
        const random = seededRandom(7);
        for (let round = 0; round < 60; round++) {
          const length = round < 12 ? round + 1 : 1 + Math.floor(random() * (file.length - 1));
          if (ends.has(length)) continue;
          await expect(
            readAll(decompressed(sourceOf(file.subarray(0, length)), kind, 'torn.file')),
            `${length}`,
          ).rejects.toMatchObject({ code: 'INPUT_CORRUPT', message: expect.stringContaining('torn.file') });
        }
      });

      it('with a bit turned it is an error, never other bytes', async () => {
        const random = seededRandom(8);
        for (let round = 0; round < 60; round++) {
          const altered = Buffer.from(file);
          const at = Math.floor(random() * file.length);
          altered[at]! ^= 1 << Math.floor(random() * 8);
          const read = await readAll(decompressed(sourceOf(altered), kind, 'f')).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'INPUT_CORRUPT' });
            return TEXT;
          });
          expect(Buffer.from(read).equals(TEXT), `byte ${at}`).toBe(true);
        }
      });

      it('rubbish, and rubbish behind the end, are errors; a file of no bytes has none', async () => {
        const rubbish = Buffer.from('not compressed at all, whatever it says');
        for (const bytes of [rubbish, Buffer.concat([file, rubbish])]) {
          await expect(readAll(decompressed(sourceOf(bytes), kind, 'f'))).rejects.toMatchObject({
            code: 'INPUT_CORRUPT',
          });
        }
        expect(await readAll(decompressed(sourceOf(new Uint8Array(0)), kind, 'f'))).toHaveLength(0);
      });

      it('a bomb is read as far as it is asked for', async () => {
        const bomb = Buffer.concat(Array.from({ length: 40 }, () => golden(zeros)));
        const reader = decompressed(sourceOf(bomb, 512), kind, 'bomb');
        const before = process.memoryUsage().arrayBuffers;
        const into = new Uint8Array(1 << 20);
        for (let read = 0; read < 8 << 20; ) read += await reader.read(into);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
        await reader.close();
        expect((await readAll(decompressed(sourceOf(golden(zeros)), kind, 'f'))).length).toBe(4 << 20);
      });
    });
  }

  function chunkEnds(file: Buffer): Set<number> {
    const ends = new Set<number>();
    for (let at = 0; at < file.length; ends.add(at)) at += 4 + file.readUIntLE(at + 1, 3);
    return ends;
  }
});

describe('detection', () => {
  it('goes by the first bytes, whatever the name', () => {
    expect(detectCompression(Buffer.from('{"a":1}'))).toBe('none');
    expect(detectCompression(new Uint8Array(0))).toBe('none');
    expect(detectCompression(Uint8Array.of(0x1f, 0x8b))).toBe('gzip');
    expect(detectCompression(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe('zstd');
    expect(detectCompression(Buffer.from('BZh1 is how this line begins'))).toBe('none');
    expect(detectCompression(Uint8Array.of(0x53, 0x2a, 0x4d, 0x18))).toBe('zstd');
  });
});
