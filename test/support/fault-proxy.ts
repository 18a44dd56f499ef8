/**
 * A TCP proxy before an HTTP server, that does what networks and overloaded servers do: drops and delays connections,
 * cuts requests and answers, answers by itself with an error, and loses the answer to a request that was applied. It
 * looks at the first line of each request only, and passes bytes on unchanged, so signatures stay valid.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export type ProxyFault =
  /** The request never arrives. */
  | 'drop'
  /** It arrives whole and is applied; the answer never comes. */
  | 'lose-answer'
  /** The answer ends in the middle. */
  | 'cut-answer'
  | 'answer-500'
  | 'answer-503'
  /** A 200 whose body is an error, as Complete may have it. */
  | 'answer-200-error'
  | 'delay';

export const PROXY_FAULTS: readonly ProxyFault[] = [
  'drop',
  'lose-answer',
  'cut-answer',
  'answer-500',
  'answer-503',
  'answer-200-error',
  'delay',
];

const DELAY_MS = 150;
const SLOW_DOWN = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>';
const INTERNAL = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>';

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

export class FaultProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How often each fault happened. */
  readonly happened = new Map<ProxyFault, number>();
  /** Called for each request's first line, `PUT /bucket/key?uploads HTTP/1.1`. */
  choose: (requestLine: string) => ProxyFault | null = () => null;
  endpoint = '';
  /** That clients made. */
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: string): Promise<FaultProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => proxy.#pass(client, hostname, Number(port)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy.endpoint = `http://127.0.0.1:${address.port}`;
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #pass(client: Socket, host: string, port: number): void {
    this.connections++;
    const upstream = createConnection({ host, port });
    let fault: ProxyFault | null = null;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      // A request begins a chunk: the client waits for an answer before it sends the next one.
      const line = /^(?:GET|PUT|POST|HEAD|DELETE) \S+ HTTP\/1\.1\r\n/.exec(
        chunk.toString('latin1', 0, 4096),
      )?.[0];
      if (line !== undefined) fault = this.#fault(line.trim());
      if (fault === 'drop') end();
      else if (fault === 'answer-500') client.end(answer('500 Internal Server Error', INTERNAL));
      else if (fault === 'answer-503') client.end(answer('503 Service Unavailable', SLOW_DOWN));
      else if (fault === 'answer-200-error') client.end(answer('200 OK', INTERNAL));
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (fault === 'lose-answer') end();
      else if (fault === 'cut-answer') client.end(chunk.subarray(0, Math.floor(chunk.length / 2)), end);
      else if (fault === 'delay') setTimeout(() => client.write(chunk), DELAY_MS);
      else client.write(chunk);
    });
  }

  #fault(requestLine: string): ProxyFault | null {
    const fault = this.choose(requestLine);
    if (fault !== null) this.happened.set(fault, (this.happened.get(fault) ?? 0) + 1);
    return fault;
  }
}
