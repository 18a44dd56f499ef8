export function createBucketAssigner({ prefix }) {
  return {
    partitionColumns: ['country'],
    getBucketId: (record, context) => `${prefix}${record.country}-${context.timestampMs}`,
  };
}
