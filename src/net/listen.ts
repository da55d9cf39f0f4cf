/** Sockets that wait for connections of other hosts. */

import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { waitingConnections } from '../safe/native.ts';

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
  /** How many had been waiting when this one was taken, itself included; nothing when the system does not tell. */
  backlog(): number | undefined;
}

export interface Listener {
  readonly settings: ListenSettings;
  /** Stops waiting; connections that were taken go on. */
  close(): void;
}

/** An IPv4 address that a socket for both families shows as IPv6. */
const plain = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** The run-time has no name for the descriptor of a server, but it is there. */
function backlogOf(server: Server): number | undefined {
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd?: number } | null };
  const others = handle?.fd === undefined || handle.fd < 0 ? undefined : waitingConnections(handle.fd);
  return others === undefined ? undefined : others + 1;
}

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
  const server: Server = createServer({ noDelay, keepAlive, allowHalfOpen: true }, (socket) => {
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
      backlog: () => backlogOf(server),
    });
  });
  return server;
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
