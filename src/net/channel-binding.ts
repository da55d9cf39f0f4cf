/**
 * What a login is bound to, so that nobody between the two ends can pass it on: octets that both ends of a TLS connection
 * know, and that no other connection has (RFC 5929 §3, RFC 9266).
 */

import type { TLSSocket } from 'node:tls';

export interface ChannelBinding {
  readonly type: 'tls-unique' | 'tls-exporter';
  readonly data: Buffer;
}

const exporterLength = 32;

/**
 * Of this end. A session of TLS 1.2 that was taken up has none: whether it is of the kind that cannot be moved to another
 * connection (RFC 7627) the run-time does not tell.
 */
export function channelBinding(socket: TLSSocket, end: 'client' | 'server'): ChannelBinding | undefined {
  if (socket.getProtocol() === 'TLSv1.3') {
    const data = socket.exportKeyingMaterial(exporterLength, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    return { type: 'tls-exporter', data };
  }
  if (socket.isSessionReused()) return undefined;
  // the client's message is the first of its kind
  const data = end === 'client' ? socket.getFinished() : socket.getPeerFinished();
  return data === undefined ? undefined : { type: 'tls-unique', data };
}
