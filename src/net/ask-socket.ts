/**
 * One question to a server and its whole answer, up to the end of the connection: for `${readsocket…}` and daemons that
 * are asked so. Time and the length of the answer are bounded.
 */

import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { errorCode, errorText } from '../lib/errno.ts';
import type { Clean } from '../safe/taint.ts';
import { isIp } from './address.ts';

export type SocketPlace = { readonly path: Clean } | { readonly address: string; readonly port: number };

export interface Question {
  readonly text: string;
  /** Seconds to wait for the connection, and for each piece of the answer. */
  readonly timeout: number;
  /** Whether this side ends when it has asked. */
  readonly shutdown: boolean;
}

export type Reply =
  | { readonly outcome: 'answered'; readonly text: string }
  /** There is no connection; another address may be tried. */
  | { readonly outcome: 'not connected'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly message: string };

const departures: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

const maximumAnswer = 64 * 1024 * 1024;

function open(place: SocketPlace): Socket {
  const options: NetConnectOpts =
    'path' in place
      ? { path: place.path, allowHalfOpen: true }
      : { host: place.address, port: place.port, allowHalfOpen: true, autoSelectFamily: false };
  return connect(options);
}

/** Asks, and answers all that comes back. */
export function askSocket(place: SocketPlace, { text, timeout, shutdown }: Question): Promise<Reply> {
  if ('address' in place && !isIp(place.address)) {
    return Promise.resolve({ outcome: 'not connected', reason: 'Invalid argument' });
  }
  return new Promise((resolve) => {
    let socket: Socket;
    try {
      socket = open(place);
    } catch {
      resolve({ outcome: 'not connected', reason: 'Invalid argument' });
      return;
    }
    let connected = false;
    const chunks: Buffer[] = [];
    let size = 0;
    const whole = (): string => Buffer.concat(chunks).toString('latin1');
    const end = (reply: Reply): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const late = (): void =>
      end(
        connected
          ? { outcome: 'failed', message: 'socket read timed out' }
          : { outcome: 'not connected', reason: 'Connection timed out' },
      );
    const milliseconds = Math.min(Math.max(timeout, 0.001), 2_000_000) * 1000;
    const timer = setTimeout(late, milliseconds);
    socket.on('error', (error) => {
      // a server that went without reading all of the question has answered what it said
      if (size > 0 || departures.has(errorCode(error) ?? '')) end({ outcome: 'answered', text: whole() });
      else if (!connected) end({ outcome: 'not connected', reason: errorText(error) });
      else end({ outcome: 'failed', message: `request write to socket failed: ${errorText(error)}` });
    });
    socket.on('connect', () => {
      connected = true;
      timer.refresh();
      if (text !== '') socket.write(text, 'latin1');
      if (shutdown) socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      timer.refresh();
      size += chunk.length;
      chunks.push(chunk);
      if (size > maximumAnswer) end({ outcome: 'failed', message: 'answer of socket is too long' });
    });
    socket.on('end', () => end({ outcome: 'answered', text: whole() }));
    socket.on('close', () => end({ outcome: 'failed', message: 'socket was closed' }));
  });
}
