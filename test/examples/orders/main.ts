/**
 * An example: a program that reads an NDJSON file of orders by itself and writes them with StreamingFileSink, exactly
 * once through any crash.
 *
 *     npx tsx test/examples/orders/main.ts orders.ndjson ./lake ./state
 *
 * The one thing a program has to do for that: remember where in its input it is, together with what was written. Each
 * checkpoint takes that position; after a restart, `writer.position` is the one that belongs to what the lake holds.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseDataType, type Schema, StreamingFileSink } from 'sluice';
import { fieldsAssigner } from 'sluice/bucketing';
import { parquetFormat } from 'sluice/formats';
import { anyOf, defaultRollingPolicy, maxRowsRollingPolicy } from 'sluice/rolling';

interface Order {
  readonly id: number;
  readonly country: string;
  readonly total: string;
  readonly at: string;
}

const CHECKPOINT_LINES = 1000;

const schema: Schema = {
  fields: [
    { name: 'id', type: parseDataType('int64'), nullable: false },
    { name: 'country', type: parseDataType('string'), nullable: true },
    { name: 'total', type: parseDataType('decimal(10,2)'), nullable: true },
    { name: 'at', type: parseDataType('timestamp(ms)'), nullable: true },
  ],
};

async function main(input: string, lake: string, state: string): Promise<void> {
  const parquet = await parquetFormat({
    type: 'parquet',
    engine: 'sluice',
    compression: 'snappy',
    rowGroupBytes: 16 * 1024 * 1024,
    pageBytes: 1024 * 1024,
  });
  const sink = StreamingFileSink.forBulkFormat(lake, parquet, schema)
    .withBucketAssigner(
      fieldsAssigner(schema, { fields: [{ name: 'country', column: 'country', transform: 'value' }] }),
    )
    .withRollingPolicy(anyOf(maxRowsRollingPolicy(2000), defaultRollingPolicy()))
    .withOutputFileConfig({ prefix: 'orders' })
    .withBucketCheckInterval(1000)
    .build();
  const writer = await sink.open({ state, name: 'orders' });
  const done = typeof writer.position === 'number' ? writer.position : 0;

  let line = 0;
  for await (const text of createInterface({ input: createReadStream(input) })) {
    line++;
    if (line <= done) continue;
    const order: Order = JSON.parse(text);
    const at = new Date(order.at);
    await writer.write({ ...order, id: BigInt(order.id), at }, { timestamp: at.getTime() });
    if (line % CHECKPOINT_LINES === 0) await writer.checkpoint({ position: line });
  }
  await writer.close({ position: line });
  console.log(`${line - done} orders written, ${done} were there already`);
}

const [input, lake, state] = process.argv.slice(2);
if (input === undefined || lake === undefined || state === undefined) {
  console.error('usage: main.ts <orders.ndjson> <lake> <state>');
  process.exitCode = 2;
} else {
  await main(input, lake, state);
}
