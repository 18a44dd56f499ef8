export default { getBucketId: (record) => record % 2 };
