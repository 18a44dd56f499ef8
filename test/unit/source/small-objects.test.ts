import { describe, expect, it } from 'vitest';
import { takeSmallBehind } from '../../../lib/source/small-objects.ts';
import { type Split, startPosition } from '../../../lib/source/split.ts';

const object = (id: number, over: Partial<Split> = {}): Split => ({
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
const idsOf = (splits: readonly Split[]) => splits.map(({ id }) => id);

describe('small objects behind a split', () => {
  it('go to the same subtask in their order, and are not pending any more', () => {
    const pending = [2, 3, 4].map((id) => object(id));
    expect(idsOf(takeSmallBehind(object(1), pending, 2, none))).toEqual(['2.0', '3.0']);
    expect(idsOf(pending)).toEqual(['4.0']);
  });

  it('are at most 32 and 4 MiB, and each 256 KiB', () => {
    const many = Array.from({ length: 100 }, (_, id) => object(id));
    expect(takeSmallBehind(object(100), many, 99, none)).toHaveLength(32);
    const large = Array.from({ length: 100 }, (_, id) => object(id, { sizeBytes: 256 * 1024 }));
    expect(takeSmallBehind(object(100, { sizeBytes: 1 }), large, 99, none)).toHaveLength(15);
    const mixed = [object(1), object(2, { sizeBytes: 256 * 1024 + 1 }), object(3)];
    expect(idsOf(takeSmallBehind(object(0), mixed, 99, none))).toEqual(['1.0']);
  });

  it('are none behind files of a disk, ranges, and large objects', () => {
    const { identity: _, ...file } = object(0);
    for (const first of [file, object(0, { endByte: 500 }), object(0, { sizeBytes: 300_000 })])
      expect(takeSmallBehind(first, [object(1)], 99, none)).toEqual([]);
  });

  it('are taken from what waits, files that are passed over left out', () => {
    const pending: Split[] = [];
    let asked = 0;
    const taken = takeSmallBehind(object(0), pending, 99, () => {
      asked++;
      if (asked % 2 === 0) pending.push(object(asked));
      return asked < 7;
    });
    expect(idsOf(taken)).toEqual(['2.0', '4.0', '6.0']);
  });
});
