/** Sockets that wait for connections of other hosts. */

import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';

export interface ListenSettings {
  readonly address: string;
  readonly port: number;
  /** Connections that the system keeps waiting. */
  readonly backlog: number;
  /** Answers go out at once (tcp_nodelay). */
  readonly noDelay: boolean;
  /** The system finds out whether idle clients are still there (smtp_accept_keepalive). */
  readonly keepAlive: boolean;
}

/** A connection that was taken. */
export interface Taken {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  readonly ownAddress: string;
  readonly ownPort: number;
}

export interface Listener {
  readonly settings: ListenSettings;
  /** Stops waiting; connections that were taken go on. */
  close(): void;
}

/** An IPv4 address that a socket for both families shows as IPv6. */
const plain = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

type Manners = Pick<ListenSettings, 'noDelay' | 'keepAlive'>;

/** Listens; the promise fails with the system's error when the address cannot be had. */
export async function listen(settings: ListenSettings, take: (connection: Taken) => void): Promise<Listener> {
  const { address, port, backlog } = settings;
  const server = serverFor(settings, take);
  await begun(server, { host: address, port, backlog, ipv6Only: address.includes(':') });
  return { settings, close: () => server.close() };
}

/** The same with a socket that somebody has made to listen, and handed over as this descriptor. */
export async function listenOn(
  descriptor: number,
  manners: Manners,
  take: (connection: Taken) => void,
): Promise<Listener> {
  const server = serverFor(manners, take);
  await begun(server, { fd: descriptor });
  const place = server.address();
  const { address, port } = typeof place === 'object' && place !== null ? place : { address: '', port: 0 };
  return { settings: { ...manners, address, port, backlog: 0 }, close: () => server.close() };
}

function serverFor({ noDelay, keepAlive }: Manners, take: (connection: Taken) => void): Server {
  // a client may close its side and still wait for the answer to what it sent
  return createServer({ noDelay, keepAlive, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    const { remoteAddress, remotePort = 0, localAddress, localPort = 0 } = socket;
    if (remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    take({
      socket,
      address: plain(remoteAddress),
      port: remotePort,
      ownAddress: plain(localAddress),
      ownPort: localPort,
    });
  });
}

function begun(server: Server, where: ListenOptions & { readonly fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}
