/**
 * Sockets for client libraries that speak a database's protocol. The libraries collect a whole answer in memory before
 * they tell of it, and some wait for ever; so time and size are bounded here.
 */

import { connect, type NetConnectOpts, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clean } from '../safe/taint.ts';
import { isIp } from './address.ts';

/** Octets of an answer. */
const longestAnswer = 32 * 1024 * 1024;
/** Milliseconds between two looks at how much came. */
const watchTime = 50;

/** A socket that its library connects, or that was connected here. */
export class LibrarySocket {
  readonly socket: Socket;

  constructor(socket: Socket = new Socket()) {
    this.socket = socket;
  }

  /** Asks; the connection is cut when the answer takes longer than `milliseconds`, or is too long. */
  async bounded<T>(milliseconds: number, ask: () => Promise<T>): Promise<T> {
    const { socket } = this;
    const before = socket.bytesRead;
    let reason: string | undefined;
    const cut = (why: string): void => {
      reason ??= why;
      socket.destroy(new Error(why));
    };
    const timer = setTimeout(() => cut('no answer in time'), milliseconds);
    const watch = setInterval(() => {
      if (socket.bytesRead - before > longestAnswer) cut('the answer is longer than 32 MB');
    }, watchTime);
    try {
      return await ask();
    } catch (error) {
      throw reason === undefined ? error : new Error(reason);
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
    }
  }

  /** Whether it keeps the process running. */
  hold(holds: boolean): void {
    if (holds) this.socket.ref();
    else this.socket.unref();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A socket that is being connected. */
export function connectLibrary(
  place: { readonly path: Clean } | { readonly host: string; readonly port: number },
): LibrarySocket {
  const options: NetConnectOpts = 'path' in place ? { path: place.path } : { host: place.host, port: place.port };
  const socket = connect(options);
  if (!('path' in place)) socket.setNoDelay(true).setKeepAlive(true);
  return new LibrarySocket(socket);
}

/** TLS over a socket, from its first octet on. */
export function secureLibrary({ socket }: LibrarySocket, options: ConnectionOptions): TLSSocket {
  const { host = '' } = options;
  return connectTls({ ...options, ...(host === '' || isIp(host) ? {} : { servername: host }), socket });
}
