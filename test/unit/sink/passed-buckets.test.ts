import { afterEach, describe, expect, it } from 'vitest';
import type { BulkFormat } from '../../../lib/core/encoder.ts';
import { type OpenBucket, PassedBuckets } from '../../../lib/sink/passed-buckets.ts';
import { SinkHarness, textFormat } from '../../support/sink-harness.ts';

const HOUR = 3_600_000;
const LARGE = 2 * 1024 * 1024;
/** The bucket of an hour, with so much in it. */
const hour = (number: number, bufferedBytes = LARGE): OpenBucket => ({
  bucketId: String(number),
  bucketEndMs: (number + 1) * HOUR,
  bufferedBytes,
});
const times = (...hours: number[]) => Float64Array.from(hours, (at) => at * HOUR);

function watching(open: readonly OpenBucket[], maxOutOfOrdernessMs = 0): PassedBuckets {
  const passed = new PassedBuckets(maxOutOfOrdernessMs, 64 * LARGE);
  for (const part of open) passed.watch(part);
  return passed;
}

describe('buckets that event time has passed', () => {
  it('are told once a whole batch is behind their end, each once', () => {
    const open = [hour(0), hour(1), hour(2)];
    const passed = watching(open);
    expect(passed.take(open, [], times(0.2, 0.9), 2)).toEqual([]);
    expect(passed.take(open, [], times(0.9, 1.1), 2), 'its first row is not').toEqual([]);
    expect(passed.take(open, [], times(1.1, 0.9), 2), 'its last row is not').toEqual([]);
    expect(passed.take(open, [], times(1.0, 1.5), 2)).toEqual([open[0]]);
    expect(passed.take(open, [], times(1.6, 1.7), 2)).toEqual([]);
    expect(passed.take(open, [], times(3.5, 3.6), 2)).toEqual(open);
  });

  it('wait while rows still come to them, as they do where rows are in no order', () => {
    const open = [hour(0), hour(1), hour(2)];
    const passed = watching(open);
    expect(passed.take(open, ['2', '0', '1'], times(2.5, 2.6), 2)).toEqual([]);
    expect(passed.take(open, ['2', '0'], times(2.1, 2.2), 2)).toEqual([open[1]]);
    expect(passed.take(open, ['2'], times(1.1, 1.2), 2)).toEqual([open[0]]);
  });

  it('may be behind by as much as rows may be out of order', () => {
    const open = [hour(0)];
    const passed = watching(open, HOUR / 2);
    expect(passed.take(open, [], times(1.2, 1.3), 2)).toEqual([]);
    expect(passed.take(open, [], times(1.5, 1.6), 2)).toEqual(open);
  });

  it('are left alone with little in them, without a time, and where rows have none', () => {
    const open = [hour(0, 1000), { ...hour(0), bucketEndMs: null }];
    const passed = watching([...open, hour(0)]);
    expect(passed.take([hour(0)], [], null, 2)).toEqual([]);
    expect(passed.take([hour(0)], [], new Float64Array(0), 0)).toEqual([]);
    expect(passed.take([hour(0)], [], times(Number.NaN, 9), 2)).toEqual([]);
    expect(passed.take(open, [], times(9, 9), 2)).toEqual([]);
  });

  it('are told however far a single batch was ahead', () => {
    const passed = watching([hour(0)]);
    expect(passed.take([hour(0)], [], times(1e6, 1e6), 2)).toHaveLength(1);
    passed.watch(hour(1));
    expect(passed.take([hour(1)], [], times(2, 2), 2)).toHaveLength(1);
  });
});

describe('a sink with buckets of an hour', () => {
  let sink: SinkHarness;
  afterEach(() => sink.dispose());

  it.each([0, HOUR / 4])('flushes what is passed by %i ms, and takes late rows afterwards', async (ms) => {
    const flushed: number[] = [];
    sink = await SinkHarness.open({
      format: () => watched(flushed),
      maxOutOfOrdernessMs: ms,
      bucketTimes: (id) => ({ endMs: (Number(id) + 1) * HOUR }),
      flushBytes: 512 * 1024,
      memoryBytes: 8 * 1024 * 1024,
    });
    const write = (at: number, ...texts: string[]) =>
      sink.writeBatch(
        texts.map((text) => `${Math.floor(at)}:${text}`),
        new Float64Array(texts.length).fill(at * HOUR),
      );
    const long = 'x'.repeat(100_000);
    await write(0.5, long, long);
    expect(flushed).toEqual([]);
    await write(1.1, 'near');
    expect(flushed).toEqual(ms === 0 ? [200_002] : []);
    await write(1.5, 'next');
    expect(flushed).toEqual([200_002]);
    await write(0.9, 'late');
    await write(1.6, 'after');
    expect(flushed, 'too little for another').toEqual([200_002]);
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(await sink.contents()).toEqual({ '0/0': `${long},${long},late`, '1/1': 'near,next,after' });
  });
});

/** Text. @param flushed gets the sizes of what is flushed before a part's end */
function watched(flushed: number[]): BulkFormat {
  const format = textFormat();
  const createWriter: BulkFormat['createWriter'] = (schema, footer) => {
    const writer = format.createWriter(schema, footer);
    const flush = writer.flush.bind(writer);
    writer.flush = () => {
      const bytes = flush();
      flushed.push(bytes.length);
      return bytes;
    };
    writer.finish = flush;
    return writer;
  };
  return { ...format, createWriter };
}
