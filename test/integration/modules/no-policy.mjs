export const createPartitionCommitPolicy = () => ({});
