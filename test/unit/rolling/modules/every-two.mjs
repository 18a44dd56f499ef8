export const createRollingPolicy = ({ rows }) => ({
  shouldRollOnEvent: (part) => part.rows >= rows,
  shouldRollOnCheckpoint: () => true,
  shouldRollOnProcessingTime: (part, nowMs) => nowMs - part.lastUpdateTimeMs >= 10,
});
