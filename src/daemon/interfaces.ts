/** The addresses and ports that the daemon listens on: local_interfaces, daemon_smtp_ports and -oX (Exim spec 13). */

import type { Config } from '../config/config.ts';
import { splitList } from '../lib/list-text.ts';
import { formatIp, parseIp } from '../net/address.ts';
import { servicePort } from '../net/service-ports.ts';

export interface Interface {
  readonly address: string;
  readonly port: number;
}

/** What was written cannot be listened on. */
export class BadInterface extends Error {}

interface Item {
  readonly address: string;
  /** Nothing stands for those of daemon_smtp_ports. */
  readonly port: number | undefined;
}

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : servicePort(text);
  if (port === undefined) throw new BadInterface(`TCP port "${text}" not found`);
  if (!(port >= 0 && port <= 65_535)) throw new BadInterface(`invalid port number "${text}"`);
  return port;
}

/** The ports on which TLS begins with the connection (tls_on_connect_ports). @throws BadInterface */
export function tlsPortsOf({ main }: Config): ReadonlySet<number> {
  return new Set(main.tls_on_connect_ports?.items.map(portOf) ?? []);
}

/** `1.2.3.4`, `1.2.3.4.25`, `[1.2.3.4]:25`, `::1`, `::1.25`. */
function itemOf(text: string): Item {
  const [, inBrackets, behind] = /^\[([^\]]*)\](?::(\w+))?$/.exec(text) ?? [];
  const whole = parseIp(inBrackets ?? text);
  if (whole !== undefined) return { address: formatIp(whole), port: behind === undefined ? undefined : portOf(behind) };
  const [, front = '', port = ''] = /^(.*)\.(\d+)$/.exec(text) ?? [];
  const octets = parseIp(front);
  if (octets === undefined || inBrackets !== undefined) throw new BadInterface(`invalid IP address "${text}"`);
  return { address: formatIp(octets), port: portOf(port) };
}

const isPort = (item: string): boolean => !/[.:]/.test(item);

/**
 * All pairs of address and port, each once. `override` is the text of `-oX`: its items without dot or colon are ports,
 * the others addresses; each kind takes the place of what the configuration says. @throws BadInterface
 */
export function interfacesOf({ main }: Config, override: string | undefined): Interface[] {
  const given = override === undefined ? [] : splitList(override).items.filter((item) => item !== '');
  const givenPorts = given.filter(isPort);
  const givenAddresses = given.filter((item) => !isPort(item));
  const ports = (givenPorts.length > 0 ? givenPorts : (main.daemon_smtp_ports?.items ?? ['smtp'])).map(portOf);
  const items = (givenAddresses.length > 0 ? givenAddresses : (main.local_interfaces?.items ?? [])).map(itemOf);
  const found = new Map<string, Interface>();
  for (const { address, port } of items) {
    if (main.disable_ipv6 && address.includes(':')) continue;
    for (const each of port === undefined ? ports : [port]) {
      found.set(`${address} ${each}`, { address, port: each });
    }
  }
  return [...found.values()];
}

/** The ports on which POP3 begins with TLS (pop3_tls_on_connect_ports). @throws BadInterface */
export function pop3TlsPorts({ main }: Config): ReadonlySet<number> {
  return new Set(main.pop3_tls_on_connect_ports?.items.map(portOf) ?? []);
}

/** Where POP3 clients are waited for; nowhere when no port is set. @throws BadInterface */
export function pop3InterfacesOf(config: Config): Interface[] {
  const { main } = config;
  const ports = new Set([...(main.pop3_ports?.items.map(portOf) ?? []), ...pop3TlsPorts(config)]);
  const own = main.pop3_interfaces?.items.map(itemOf);
  const general = (main.local_interfaces?.items ?? []).map((item) => ({ ...itemOf(item), port: undefined }));
  const found = new Map<string, Interface>();
  for (const { address, port } of own ?? general) {
    if (main.disable_ipv6 && address.includes(':')) continue;
    for (const each of port === undefined ? ports : [port]) {
      found.set(`${address} ${each}`, { address, port: each });
    }
  }
  return [...found.values()];
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::0']);

export function isWildcard(address: string): boolean {
  return wildcards.has(address);
}

/** `port 25 (IPv6 and IPv4)`, `[127.0.0.1]:25`, `[127.0.0.1]:{25,587}`: as the log names what is listened on. */
export function describeInterfaces(interfaces: readonly Interface[]): string {
  const parts: string[] = [];
  const wild = interfaces.filter(({ address }) => isWildcard(address));
  for (const port of new Set(wild.map((each) => each.port))) {
    const families = new Set(wild.filter((each) => each.port === port).map(({ address }) => address.includes(':')));
    const names = [families.has(true) ? 'IPv6' : '', families.has(false) ? 'IPv4' : ''].filter((name) => name !== '');
    parts.push(`port ${port} (${names.join(' and ')})`);
  }
  const own = interfaces.filter(({ address }) => !isWildcard(address));
  for (const address of new Set(own.map((each) => each.address))) {
    const ports = own.filter((each) => each.address === address).map(({ port }) => port);
    parts.push(`[${address}]:${ports.length === 1 ? ports[0] : `{${ports.join(',')}}`}`);
  }
  return parts.join(' ');
}
