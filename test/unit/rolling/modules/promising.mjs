export default {
  shouldRollOnEvent: async () => false,
  shouldRollOnCheckpoint: () => {
    throw new Error('no idea');
  },
  shouldRollOnProcessingTime: () => 1,
  rowsUntilRoll: () => 0,
};
