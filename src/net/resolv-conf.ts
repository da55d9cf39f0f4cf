/**
 * Which name servers to ask and how: the machine's /etc/resolv.conf, as resolv.conf(5) and the C library read it, so that
 * this program asks as every other program on the machine does. A line that makes no sense is passed over.
 */

import { hostname } from 'node:os';
import { trimEnd } from '../lib/octets.ts';
import * as files from '../safe/files.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { parseIp } from './address.ts';
import { nameOctets } from './dns-wire.ts';

export interface NameServer {
  readonly address: string;
  readonly port: number;
}

export interface ResolverSettings {
  readonly servers: readonly NameServer[];
  /** Domains to complete a short name with, in order. */
  readonly search: readonly string[];
  /** For how many milliseconds one server is waited for. */
  readonly timeout: number;
  /** How often all servers are asked that did not answer. */
  readonly attempts: number;
  /** A name with at least so many dots is tried as it is before it is completed. */
  readonly ndots: number;
  /** Whether each question begins with another server. */
  readonly rotate: boolean;
  readonly edns: boolean;
  /** Never UDP. */
  readonly useTcp: boolean;
  /**
   * Whether the way to the servers is safe, so that their word counts that an answer is authentic. In the file:
   * `options trust-ad`.
   */
  readonly trustAuthentic: boolean;
}

const limits = { servers: 3, search: 32, timeout: 30, attempts: 5, ndots: 15, file: 65536 };

export const defaultSettings: ResolverSettings = {
  servers: [{ address: '127.0.0.1', port: 53 }],
  search: [],
  timeout: 5000,
  attempts: 2,
  ndots: 1,
  rotate: false,
  edns: true,
  useTcp: false,
  trustAuthentic: false,
};

function nameServer(text: string): NameServer | undefined {
  const withPort = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const address = withPort?.[1] ?? text;
  const port = Number(withPort?.[2] ?? 53);
  return parseIp(address) === undefined || port === 0 || port > 65535 ? undefined : { address, port };
}

function searchDomain(text: string): string | undefined {
  const domain = text.replace(/\.$/, '');
  return nameOctets(domain) === undefined ? undefined : domain;
}

type Draft = { -readonly [K in keyof ResolverSettings]: ResolverSettings[K] };

type Change = (value: number) => Partial<ResolverSettings>;

/** Options without a value. */
const flags: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['rotate', () => ({ rotate: true })],
  ['edns0', () => ({ edns: true })],
  ['use-vc', () => ({ useTcp: true })],
  ['usevc', () => ({ useTcp: true })],
  ['trust-ad', () => ({ trustAuthentic: true })],
]);

/** Options with a number behind a colon. */
const numbers: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['timeout', (value) => ({ timeout: Math.min(Math.max(value, 1), limits.timeout) * 1000 })],
  ['attempts', (value) => ({ attempts: Math.min(Math.max(value, 1), limits.attempts) })],
  ['ndots', (value) => ({ ndots: Math.min(value, limits.ndots) })],
]);

function option(text: string): Partial<ResolverSettings> {
  const [, name = '', value] = /^([\w-]+)(?::(\d{1,9}))?$/.exec(text) ?? [];
  return (value === undefined ? flags : numbers).get(name)?.(Number(value)) ?? {};
}

/** Reads the text of the file. `hostName` names the machine: its domain is searched when the file names none. */
export function parseResolvConf(text: string, hostName = ''): ResolverSettings {
  const own = searchDomain(hostName.slice(hostName.indexOf('.') + 1));
  const draft: Draft = { ...defaultSettings, search: hostName.includes('.') && own ? [own] : [] };
  const servers: NameServer[] = [];
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = trimEnd(line).split(/[ \t]+/);
    if (keyword === 'nameserver') {
      const server = nameServer(words[0] ?? '');
      if (server !== undefined && servers.length < limits.servers) servers.push(server);
    } else if (keyword === 'search' || keyword === 'domain') {
      const domains = words.map(searchDomain).filter((domain) => domain !== undefined);
      draft.search = domains.slice(0, keyword === 'domain' ? 1 : limits.search);
    } else if (keyword === 'options') Object.assign(draft, ...words.map(option));
  }
  if (servers.length > 0) draft.servers = servers;
  return draft;
}

/** The settings in a file, read again when it has changed. A missing file means a name server on this machine. */
export class ResolvConf {
  readonly #path: Clean;
  #stamp = '';
  #settings = defaultSettings;

  constructor(path: Clean = literal('/etc/resolv.conf')) {
    this.#path = path;
  }

  /** The same object as before unless the file has changed. */
  current(): ResolverSettings {
    let stamp = 'missing';
    try {
      const found = files.stat(this.#path);
      if (found !== undefined) stamp = `${found.ino} ${found.mtimeMs} ${found.size}`;
      if (stamp === this.#stamp) return this.#settings;
      this.#settings = parseResolvConf(found === undefined ? '' : files.readText(this.#path, limits.file), hostname());
    } catch {
      // as the C library does when it may not read the file
      if (this.#stamp !== stamp) this.#settings = parseResolvConf('', hostname());
    }
    this.#stamp = stamp;
    return this.#settings;
  }
}
