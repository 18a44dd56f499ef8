import { expect, it } from 'vitest';
import { KnownFiles } from '../../../lib/source/known-files.ts';
import { SourceHarness } from './source-harness.ts';

const DAYS = 365;
const FILES_A_DAY = 20;
const KEPT_DAYS = 3;
const DAY_MS = 86_400_000;
/** As the checkpoint coordinator has it. */
const MAX_PIECES = 16;
/** Of a file that became known and was forgotten again. */
const BYTES_A_FILE = 64;

it('state stays bounded by what is there, while files come and go for a year', async () => {
  const source = new SourceHarness();
  await source.start();
  let pieces: Uint8Array[] = [];
  let mostBytes = 0;
  let mostKnown = 0;
  for (let day = 0; day < DAYS; day++) {
    for (let file = 0; file < FILES_A_DAY; file++)
      source.fileSystem.put(`/in/${day}/${file}`, `${day}.${file}\n`);
    for (let file = 0; file < FILES_A_DAY; file++)
      source.fileSystem.files.delete(`/in/${day - KEPT_DAYS}/${file}`);
    source.clock.advance(DAY_MS);
    await source.scan();
    await source.drain();
    const compact = pieces.length >= MAX_PIECES;
    const delta = source.enumerator.takeDiscoveryDelta();
    pieces = compact ? [source.enumerator.discoverySnapshot()] : [...pieces, delta];
    mostBytes = Math.max(
      mostBytes,
      pieces.reduce((sum, piece) => sum + piece.length, 0),
    );
    mostKnown = Math.max(mostKnown, source.enumerator.counters.known);
  }
  expect(new Set(source.lines).size).toBe(DAYS * FILES_A_DAY);
  expect(source.lines).toHaveLength(DAYS * FILES_A_DAY);
  expect(mostKnown).toBeLessThanOrEqual((KEPT_DAYS + 1) * FILES_A_DAY);
  expect(mostBytes).toBeLessThan((MAX_PIECES + KEPT_DAYS) * FILES_A_DAY * BYTES_A_FILE);
  const restored = new KnownFiles();
  for (const piece of pieces) restored.apply(piece);
  expect(restored.size).toBe(source.enumerator.counters.known);
});
