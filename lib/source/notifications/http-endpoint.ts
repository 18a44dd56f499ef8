/**
 * Receives messages by HTTP: a server posts them (MinIO: a webhook target). It is answered at once; what happens to a
 * hint behind that is our affair. Anyone who can reach the port can make the source look, and do nothing else: bodies,
 * connections and times are bounded, and where others than this machine can reach it a token is asked for.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SluiceError } from '../../core/errors.ts';
import type { NotificationSpec } from '../../core/specs.ts';
import { readEventMessage } from './event-message.ts';
import type { ReceiverOptions } from './notifications.ts';

type HttpSpec = Extract<NotificationSpec, { type: 'http' }>;

/** A message about one object has about 1 KB. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Serves until the signal says stop.
 * @throws SluiceError STORAGE_FAILED where the port cannot be had
 */
export async function serveHints(spec: HttpSpec, options: ReceiverOptions): Promise<void> {
  const { signal, onReady } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => {
    answer(spec, options, request)
      .catch(() => 400)
      .then((status) => end(request, response, status))
      .catch(() => {});
  });
  try {
    await listen(server, spec);
    onReady();
    await stopped(server, signal);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function listen(server: Server, { host, port }: HttpSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new SluiceError(
          'STORAGE_FAILED',
          `cannot listen on ${host}:${port} for notifications: ${cause.message}`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function stopped(server: Server, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve();
    const stop = () => resolve();
    signal.addEventListener('abort', stop);
    server.once('error', (error) => {
      signal.removeEventListener('abort', stop);
      reject(error);
    });
  });
}

/** @returns the status that the sender gets */
async function answer(
  { token }: HttpSpec,
  { warnings, onHint }: ReceiverOptions,
  request: IncomingMessage,
): Promise<number> {
  if (token !== null && !isToken(request.headers.authorization, token)) return 401;
  // How a sender asks whether anybody is there.
  if (request.method === 'HEAD' || request.method === 'GET') return 200;
  if (request.method !== 'POST' && request.method !== 'PUT') return 405;
  const body = await readBody(request);
  if (body === null) return 413;
  const event = readEventMessage(body);
  if (event.kind === 'unreadable') {
    warnings.warn(
      'notification-unreadable',
      `a message from ${request.socket.remoteAddress ?? 'somebody'} is not about objects: ${JSON.stringify(body.slice(0, 100))}`,
    );
    return 400;
  }
  if (event.paths.length > 0) void onHint(event.paths);
  return 200;
}

/** @returns null where it is longer than a message is */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function end(request: IncomingMessage, response: ServerResponse, status: number): void {
  // Unread, the rest of a body would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.writeHead(status).end();
}

/** In a time that tells nothing about the token. MinIO sends a token that has a space as it is, another one behind Bearer. */
function isToken(header: string | undefined, token: string): boolean {
  const given = createHash('sha256')
    .update(header ?? '')
    .digest();
  return [token, `Bearer ${token}`].some((each) =>
    timingSafeEqual(given, createHash('sha256').update(each).digest()),
  );
}
