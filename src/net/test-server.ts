/**
 * A server for tests of clients, in this process, on 127.0.0.1 or on a socket of this machine. What it does with each
 * connection is told by the test: it may answer, say nonsense, dribble, stall, and go at any time.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Clean } from '../safe/taint.ts';

/** A connection as the server sees it. Octets are latin1. */
export class TestConnection {
  /** Everything that came. */
  received = '';
  /** When the other side ended, or the connection broke. */
  readonly gone: Promise<void>;
  readonly from: string;
  readonly #socket: Socket;
  #at = 0;
  #ended = false;
  #arrived: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.from = socket.remoteAddress ?? '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#arrived?.();
    });
    this.gone = new Promise((resolve) => {
      const end = (): void => {
        this.#ended = true;
        this.#arrived?.();
        resolve();
      };
      for (const event of ['end', 'error', 'close']) socket.on(event, end);
    });
  }

  /** What comes up to and without `end`; nothing when the client goes before. */
  async upTo(end: string): Promise<string | undefined> {
    for (;;) {
      const found = this.received.indexOf(end, this.#at);
      if (found >= 0) {
        const text = this.received.slice(this.#at, found);
        this.#at = found + end.length;
        return text;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** The next line, without its end. */
  line(): Promise<string | undefined> {
    return this.upTo('\r\n');
  }

  /** Sends lines, each with its end. */
  say(...lines: readonly string[]): void {
    this.send(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Sends text as it is. */
  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Sends text octet by octet. */
  async dribble(text: string): Promise<void> {
    for (const octet of text) {
      this.send(octet);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Says nothing more until the client goes. */
  stall(): Promise<void> {
    return this.gone;
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.end();
  }

  /** Breaks the connection off. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export type Script = (connection: TestConnection) => Promise<void> | void;

export class TestServer {
  /** 0 for a socket of this machine. */
  readonly port: number;
  readonly connections: TestConnection[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Starts a server that follows `script` with each connection; on a free port of `where`, or on a path. */
  static async start(
    script: Script,
    where: { readonly address?: string; readonly port?: number } | { readonly path: Clean } = {},
  ): Promise<TestServer> {
    let started: TestServer | undefined;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new TestConnection(socket);
      started?.connections.push(connection);
      void script(connection);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const place = 'path' in where ? where : { host: where.address ?? '127.0.0.1', port: where.port ?? 0 };
      server.listen(place, resolve);
    });
    started = new TestServer(server);
    return started;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** A port of 127.0.0.1 where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await TestServer.start(() => undefined);
  await server.close();
  return server.port;
}
