export default { shouldRollOnEvent: () => false };
