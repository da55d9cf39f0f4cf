/** Opens connections to other hosts and to sockets of this machine, for those who speak as clients. */

import { type NetConnectOpts, connect as open, type Socket } from 'node:net';
import { errorCode, errorNumber, errorText } from '../lib/errno.ts';
import type { Clean } from '../safe/taint.ts';
import { isIp } from './address.ts';
import { type ByteStream, NodeByteStream } from './byte-stream.ts';

export interface TcpTarget {
  /** An IP address; names are looked up by those who know how. */
  readonly address: string;
  readonly port: number;
  /** The address of this host that the connection comes from. */
  readonly from?: string | undefined;
  /** Seconds; 0 leaves it to the system. */
  readonly timeout: number;
  /** Lets the system find out whether the other side is still there. */
  readonly keepAlive: boolean;
}

/** Why there is no connection: the system's number for it and the C library's words, as logs have them. */
export interface NotConnected {
  readonly outcome: 'refused' | 'timeout' | 'other';
  readonly code: number;
  readonly text: string;
}

export interface Connected {
  readonly outcome: 'connected';
  readonly stream: ByteStream;
  /** Of this side; empty and 0 for sockets of this machine. */
  readonly localAddress: string;
  readonly localPort: number;
}

export type Connection = Connected | NotConnected;

const outcomes: ReadonlyMap<string, NotConnected['outcome']> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
]);

/** The longest time that timers know, in seconds. */
const longest = 2_000_000;

function notConnected(error: unknown): NotConnected {
  const outcome = outcomes.get(errorCode(error) ?? '') ?? 'other';
  return { outcome, code: errorNumber(error), text: errorText(error) };
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function connect(options: NetConnectOpts, seconds: number): Promise<Connection> {
  return new Promise((resolve) => {
    let socket: Socket;
    try {
      socket = open(options);
    } catch (error) {
      // a port or a path that no system takes
      resolve(notConnected(error instanceof RangeError ? withCode('EINVAL') : error));
      return;
    }
    const timer =
      seconds > 0
        ? setTimeout(() => socket.destroy(withCode('ETIMEDOUT')), Math.min(seconds, longest) * 1000)
        : undefined;
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      resolve(notConnected(error));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      const stream = new NodeByteStream(socket, socket);
      socket.removeListener('error', fail);
      const { localAddress = '', localPort = 0 } = socket;
      resolve({ outcome: 'connected', stream, localAddress, localPort });
    });
  });
}

/** Connects to a host. What is written goes out without waiting for more. */
export async function connectTcp({ address, port, from, timeout, keepAlive }: TcpTarget): Promise<Connection> {
  if (!isIp(address)) return notConnected(withCode('EINVAL'));
  const local = from === undefined ? {} : { localAddress: from };
  // half open, so that what the other side said before it went can still be read when we find out by writing
  const manner = { allowHalfOpen: true, noDelay: true, keepAlive, autoSelectFamily: false };
  return connect({ host: address, port, ...local, ...manner }, timeout);
}

/** Connects to a socket of this machine; `timeout` in seconds. */
export function connectUnix(path: Clean, timeout: number): Promise<Connection> {
  return connect({ path, allowHalfOpen: true }, timeout);
}
