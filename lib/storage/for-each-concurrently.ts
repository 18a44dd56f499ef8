/**
 * Does something with each item, with so many at a time. An item is taken when its turn comes: a checkpoint may have ten
 * thousand parts in as many folders, which need not all have promises that wait. What fails is thrown only when nothing is
 * under way any more, so that whoever commits again does not meet himself.
 */
export async function forEachConcurrently<Item>(
  items: Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // Shared, so that each item is taken once. Not the collection's own: that of a generator would end with the first failure.
  const rest = [...items].values();
  const workOnRest = async () => {
    for (const item of rest) await work(item);
  };
  const results = await Promise.allSettled(Array.from({ length: concurrency }, workOnRest));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
