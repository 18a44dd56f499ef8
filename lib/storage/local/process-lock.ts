/**
 * One process a job, without a lock file to delete by hand. Node has no flock, so the lock is a listening Unix socket
 * in the state folder: the kernel answers for the process as long as it lives, stopped (SIGSTOP) or not, and refuses
 * connections from the moment it is dead, however it died.
 *
 * A dead socket's file cannot be replaced without a race between two that both find it dead, so it never is: sockets
 * are numbered (lock.1, lock.2 ...), each made complete under a name of its own and then linked to the next free
 * number, which one of them wins; the highest number is the lock. A winner that finds a higher one withdraws.
 */
import { link, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { SluiceError } from '../../core/errors.ts';
import { type Ids, randomIds } from '../../core/ids.ts';
import { errorCode, storageError } from './errors.ts';

/** sun_path holds 108 bytes with its end (104 on macOS). */
const MAX_SOCKET_PATH_BYTES = 100;
const MAX_ROUNDS = 100;
/** How long a living owner has to say who it is; one that is stopped never does. */
const ANSWER_TIMEOUT_MS = 500;

export interface ProcessLock {
  release(): Promise<void>;
}

/** Who holds a lock: null where nobody does. */
export interface LockOwner {
  /** null where the owner does not answer (it is stopped, or busy). */
  readonly processId: number | null;
  readonly host: string | null;
  /** What the hidden files and segments that it makes carry in their names. */
  readonly runId: string | null;
  readonly startedMs: number | null;
}

/** What the owner of a lock says of itself, besides its process. */
export type RunIdentity = Readonly<{ runId: string; startedMs: number }>;

/** @throws SluiceError JOB_RUNNING while another process lives that has the lock of this folder */
export async function acquireProcessLock(folder: string, ids: Ids, run: RunIdentity): Promise<ProcessLock> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw storageError(`cannot make the state folder ${folder}`, error);
  });
  const own = `.lock.${ids.hex(8)}`;
  const server = await withShortPath(folder, (short) => listen(path.join(short, own), run));
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const highest = await highestLock(folder);
      const owner = highest === 0 ? null : await askOwner(folder, highest);
      if (owner !== null) throw running(folder, owner);
      if (!(await linkExclusive(path.join(folder, own), lockPath(folder, highest + 1)))) continue;
      const now = await highestLock(folder);
      if (now === highest + 1) {
        await rm(path.join(folder, own), { force: true });
        await removeBelow(folder, now);
        return { release: () => close(server, lockPath(folder, now)) };
      }
      await rm(lockPath(folder, highest + 1), { force: true });
    }
    throw new SluiceError('JOB_RUNNING', `the lock in ${folder} keeps changing hands`, {
      hint: 'start one process a job',
    });
  } catch (error) {
    await close(server, path.join(folder, own));
    throw error;
  }
}

/** Who runs the job with this state folder now. */
export async function lockOwner(folder: string): Promise<LockOwner | null> {
  const highest = await highestLock(folder);
  return highest === 0 ? null : askOwner(folder, highest);
}

function running(folder: string, owner: LockOwner): SluiceError {
  const who =
    owner.processId === null
      ? 'a process that does not answer (stopped?)'
      : `process ${owner.processId} on ${owner.host}`;
  return new SluiceError('JOB_RUNNING', `${who} runs this job already (state folder ${folder})`, {
    hint: 'stop it first; after a crash or kill -9 the next start takes over by itself',
    details: { ...owner },
  });
}

function lockPath(folder: string, number: number): string {
  return path.join(folder, `lock.${number}`);
}

async function highestLock(folder: string): Promise<number> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw storageError(`cannot list ${folder}`, error);
  });
  let highest = 0;
  for (const name of names) {
    const match = /^lock\.(\d{1,15})$/.exec(name);
    if (match !== null) highest = Math.max(highest, Number(match[1]));
  }
  return highest;
}

async function removeBelow(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const match = /^lock\.(\d{1,15})$/.exec(name);
    if (match !== null && Number(match[1]) < number) await rm(path.join(folder, name), { force: true });
  }
}

async function linkExclusive(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw storageError(`cannot lock the state folder with ${to}`, error);
  }
}

function listen(socketPath: string, run: RunIdentity): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(JSON.stringify({ processId: process.pid, host: hostname(), ...run }));
    });
    server.once('error', (error) =>
      reject(storageError(`cannot lock the state folder with ${socketPath}`, error)),
    );
    server.listen(socketPath, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** null: nobody listens there any more. Whatever else goes wrong means that somebody may. */
function askOwner(folder: string, number: number): Promise<LockOwner | null> {
  return withShortPath(
    folder,
    (short) =>
      new Promise((resolve) => {
        const socket = createConnection(path.join(short, `lock.${number}`));
        let text = '';
        const alive = () => {
          socket.destroy();
          resolve(parseOwner(text));
        };
        socket.setTimeout(ANSWER_TIMEOUT_MS, alive);
        socket.on('data', (chunk) => {
          text = (text + chunk.toString()).slice(0, 1000);
        });
        socket.on('end', alive);
        socket.on('error', (error) => {
          const code = errorCode(error);
          if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(null);
          else alive();
        });
      }),
  );
}

function parseOwner(text: string): LockOwner {
  try {
    const owner: unknown = JSON.parse(text);
    if (typeof owner === 'object' && owner !== null && 'processId' in owner && 'host' in owner) {
      return {
        processId: Number(owner.processId),
        host: String(owner.host),
        runId: 'runId' in owner && typeof owner.runId === 'string' ? owner.runId : null,
        startedMs: 'startedMs' in owner && typeof owner.startedMs === 'number' ? owner.startedMs : null,
      };
    }
  } catch {
    // Not an answer of ours: somebody listens all the same.
  }
  return { processId: null, host: null, runId: null, startedMs: null };
}

/** Runs with a path of the folder that is short enough for a socket: through a link where the real one is not. */
async function withShortPath<T>(folder: string, run: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(folder) + '/.lock.0123456789abcdef'.length <= MAX_SOCKET_PATH_BYTES)
    return run(folder);
  const short = path.join(tmpdir(), `sluice-${randomIds.hex(6)}`);
  await symlink(folder, short);
  try {
    return await run(short);
  } finally {
    await rm(short, { force: true });
  }
}

async function close(server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  await rm(socketPath, { force: true });
}
