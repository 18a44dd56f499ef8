import { describe, expect, it } from 'vitest';
import { takeSmallBehind } from '../../../lib/source/small-files.ts';
import { type Split, startPosition } from '../../../lib/source/split.ts';

const file = (id: number, over: Partial<Split> = {}): Split => ({
  id: `${id}.0`,
  fileId: String(id),
  path: `s3://b/${id}`,
  sizeBytes: 1000,
  modifiedNs: '1',
  identity: '7',
  compression: null,
  startByte: 0,
  endByte: null,
  position: startPosition(0),
  ...over,
});
const none = () => false;
const isWhole = () => true;
const idsOf = (splits: readonly Split[]) => splits.map(({ id }) => id);

describe('small files behind a split', () => {
  it('go to the same subtask in their order, and are not pending any more', () => {
    const pending = [2, 3, 4].map((id) => file(id));
    expect(idsOf(takeSmallBehind(file(1), pending, 2, isWhole, none))).toEqual(['2.0', '3.0']);
    expect(idsOf(pending)).toEqual(['4.0']);
  });

  it('are at most 32 and 4 MiB, and each 1 MiB', () => {
    const many = Array.from({ length: 100 }, (_, id) => file(id));
    expect(takeSmallBehind(file(100), many, 99, isWhole, none)).toHaveLength(32);
    const large = Array.from({ length: 100 }, (_, id) => file(id, { sizeBytes: 1024 * 1024 }));
    expect(takeSmallBehind(file(100, { sizeBytes: 1 }), large, 99, isWhole, none)).toHaveLength(3);
    const mixed = [file(1), file(2, { sizeBytes: 1024 * 1024 + 1 }), file(3)];
    expect(idsOf(takeSmallBehind(file(0), mixed, 99, isWhole, none))).toEqual(['1.0']);
  });

  it('are none behind files that are followed, ranges, and large files', () => {
    const followed = file(0, { prefix: { bytes: 10, fingerprint: '7', fileKey: '1' } });
    const others = [followed, file(0, { endByte: 500 }), file(0, { startByte: 500 })];
    for (const first of [...others, file(0, { sizeBytes: 2_000_000 })])
      expect(takeSmallBehind(first, [file(1)], 99, isWhole, none)).toEqual([]);
  });

  it('end before one that is to be cut', () => {
    const isCut = ({ sizeBytes }: Split) => sizeBytes > 500;
    const pending = [file(1, { sizeBytes: 400 }), file(2), file(3)];
    expect(idsOf(takeSmallBehind(file(0), pending, 99, (split) => !isCut(split), none))).toEqual(['1.0']);
  });

  it('are taken from what waits, files that are passed over left out', () => {
    const pending: Split[] = [];
    let asked = 0;
    const taken = takeSmallBehind(file(0), pending, 99, isWhole, () => {
      asked++;
      if (asked % 2 === 0) pending.push(file(asked));
      return asked < 7;
    });
    expect(idsOf(taken)).toEqual(['2.0', '4.0', '6.0']);
  });
});
