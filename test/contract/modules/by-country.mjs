export function createBucketAssigner({ fallback }) {
  return {
    partitionColumns: ['country'],
    getBucketId: ({ country }) => (/^[A-Z]{2}$/.test(country ?? '') ? country : fallback),
  };
}
