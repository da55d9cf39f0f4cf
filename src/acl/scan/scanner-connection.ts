/** Connections to content scanners: TCP with a range of ports, or a socket of this machine (Exim spec 45.1, 45.2). */

import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../expand/context.ts';
import { isIp } from '../../net/address.ts';
import type { ByteStream } from '../../net/byte-stream.ts';
import { type Connection, connectTcp, connectUnix } from '../../net/connect.ts';
import type { Clean } from '../../safe/taint.ts';

export type ScannerPlace =
  | { readonly path: Clean }
  | { readonly host: string; readonly firstPort: number; readonly lastPort: number };

export interface ScannerPatience {
  /** Seconds for the connection. */
  readonly timeout: number;
  /** Seconds after which a connection that failed is tried once more. */
  readonly retry: number | undefined;
}

export type ScannerConnection =
  | { readonly outcome: 'connected'; readonly stream: ByteStream; readonly place: string }
  /** `place` is the one that was tried last, if any was. */
  | { readonly outcome: 'failed'; readonly place: string; readonly message: string };

const words = (connection: Connection): string => ('text' in connection ? connection.text : '');

async function tryPlace(place: ScannerPlace, timeout: number, context: Context): Promise<ScannerConnection> {
  if ('path' in place) {
    const connection = await connectUnix(place.path, timeout);
    if (connection.outcome === 'connected') return { ...connection, place: place.path };
    const message = `unable to connect to UNIX socket (${place.path}): ${words(connection)}`;
    return { outcome: 'failed', place: place.path, message };
  }
  const { host, firstPort, lastPort } = place;
  let addresses: readonly string[] = [host];
  if (!isIp(host)) {
    const found = await context.services.hostAddresses(host, context);
    if (found.outcome !== 'found')
      return { outcome: 'failed', place: '', message: `no IP address found for host ${host}` };
    addresses = found.addresses;
  }
  let reason = 'Invalid argument';
  let tried = '';
  for (const address of addresses) {
    for (let port = firstPort; port <= lastPort; port++) {
      const connection = await connectTcp({ address, port, timeout, keepAlive: false });
      tried = `[${address}]:${port}`;
      if (connection.outcome === 'connected') return { ...connection, place: tried };
      reason = connection.text;
    }
  }
  return { outcome: 'failed', place: tried, message: `failed to connect to any address for ${host}: ${reason}` };
}

/** Connects, and notes the place for `$callout_address`. */
export async function connectScanner(
  place: ScannerPlace,
  { timeout, retry }: ScannerPatience,
  context: Context,
): Promise<ScannerConnection> {
  let connection = await tryPlace(place, timeout, context);
  if (connection.outcome === 'failed' && retry !== undefined) {
    await setTimeout(retry * 1000);
    connection = await tryPlace(place, timeout, context);
  }
  if (connection.outcome === 'connected' && context.acl) context.acl.calloutAddress = connection.place;
  return connection;
}

export type ScannerAnswer =
  | { readonly outcome: 'answered'; readonly text: string }
  | { readonly outcome: 'failed'; readonly why: 'timeout' | 'closed' | 'too long'; readonly text: string };

/** What a scanner says about one message is never longer. */
const longestAnswer = 256 * 1024;

/** All that the scanner says until it ends the connection; `left` tells the milliseconds that are left for it. */
export async function readAnswer(stream: ByteStream, left: () => number): Promise<ScannerAnswer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const time = left();
    const read = time <= 0 ? ({ outcome: 'timeout' } as const) : await stream.read(time);
    if (read.outcome === 'octets') {
      pieces.push(read.octets);
      size += read.octets.length;
      if (size > longestAnswer) return { outcome: 'failed', why: 'too long', text: 'the answer is too long' };
      continue;
    }
    if (read.outcome === 'timeout') return { outcome: 'failed', why: 'timeout', text: 'Connection timed out' };
    if (read.outcome === 'broken') return { outcome: 'failed', why: 'closed', text: read.text };
    return { outcome: 'answered', text: Buffer.concat(pieces).toString('latin1') };
  }
}
