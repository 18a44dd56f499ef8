// The least that moving the bytes can cost: `node copy-run.mjs <from> <to>` copies the files of a folder and makes them
// durable, one after the other.
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir } from 'node:fs/promises';
import path from 'node:path';

const [from, to] = process.argv.slice(2);
await mkdir(to, { recursive: true });
for (const name of await readdir(from)) {
  await copyFile(path.join(from, name), path.join(to, name), constants.COPYFILE_EXCL);
  const handle = await open(path.join(to, name), 'r+');
  await handle.sync();
  await handle.close();
}
