/** Connections that a proxy has opened for somebody else: who that is (Exim spec 59.1, hosts_proxy). */

import { newConnection } from '../../expand/facts.ts';
import type { LineConnection } from '../../net/line-connection.ts';
import { type ProxyHeader, readProxyHeader } from '../../net/proxy-protocol.ts';
import type { Client } from './client.ts';
import type { Reception } from './reception.ts';

/** What a proxy that does not say for whom it speaks gets for all its commands. */
export const refusedCommand = 'Command refused, required Proxy negotiation failed';

/** The client that is served: the one who has connected, or the one behind it. */
export async function behindProxy(lines: LineConnection, reception: Reception): Promise<Client> {
  const { client, runtime, context } = reception;
  const { connection } = client;
  const { hosts_proxy: hosts, proxy_protocol_timeout: timeout } = runtime.config.main;
  const isFromHost = client.isNetwork && connection.hostAddress !== '';
  if (!isFromHost || !(await reception.isIn(hosts))) return client;
  await reception.decideLogging();
  reception.logConnection();
  const header = await readProxyHeader(lines, timeout * 1000);
  if (context.decisions.listening) {
    context.decisions.step('receive', `proxy [${connection.hostAddress}]`, header.outcome, sourceOf(header));
  }
  if (header.outcome !== 'proxied') {
    return { ...client, connection: { ...connection, proxy: { isRefused: header.outcome === 'failed' } } };
  }
  const { interfaceAddress, interfacePort, countAtStart } = connection;
  const { source, destination } = header;
  const local = { address: connection.hostAddress, port: connection.hostPort };
  const behind = newConnection(source.address, source.port);
  const proxy = { isRefused: false, local, external: destination };
  return { ...client, connection: { ...behind, interfaceAddress, interfacePort, countAtStart, proxy } };
}

const sourceOf = (header: ProxyHeader): string | undefined =>
  header.outcome === 'proxied' ? `for [${header.source.address}]:${header.source.port}` : undefined;
