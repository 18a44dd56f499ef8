/** An object store's content as local files, so that the oracle, which knows only those, can judge it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../lib/core/clock.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { readObject } from '../../lib/storage/s3/read-piece.ts';

const RETRY = { clock: systemClock, random: () => 0.5, timeoutMs: 10_000 };

/** Makes `folder` hold what is below the prefix now, and nothing else. */
export async function mirror(
  store: ObjectStore,
  bucket: string,
  prefix: string,
  folder: string,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let continuation: string | null = null;
  do {
    const page = await store.list({
      bucket,
      prefix: `${prefix}/`,
      ...(continuation === null ? {} : { continuation }),
    });
    for (const { key } of page.objects) {
      const file = path.join(folder, key.slice(prefix.length + 1));
      const bytes = await readObject(store, { bucket, key }, RETRY);
      // Gone since it was listed: whoever looks again will see.
      if (bytes === null) continue;
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
    continuation = page.continuation;
  } while (continuation !== null);
}
