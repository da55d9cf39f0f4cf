/**
 * A connection to an LDAP server, bound as somebody or as nobody (Exim spec 9.17). Values come back as octets; time and
 * size of an answer are bounded. With TLS the server has to prove who it is, unless ldap_require_cert says otherwise.
 */

import type { ConnectionOptions } from 'node:tls';
import type { Client, Filter, SearchResult } from 'ldapts';
import { connectLibrary, type LibrarySocket, secureLibrary } from '../net/library-socket.ts';
import * as files from '../safe/files.ts';
import { decodeUtf8 } from '../safe/sql-query.ts';
import { type Clean, pathComponent, pathOf, reviewed } from '../safe/taint.ts';
import { writeFilter } from './ldap-filter.ts';
import type { LdapScheme, LdapSearch } from './ldap-query.ts';
import type { LdapSettings } from './ldap-settings.ts';
import { loadLdap } from './library.ts';
import type { PooledConnection } from './server-pool.ts';
import type { MainOptions } from './surroundings.ts';

export interface LdapPlace {
  readonly scheme: LdapScheme;
  /** A host, or the path of a socket. */
  readonly host: string;
  readonly port: number;
}

export interface LdapUser {
  readonly user: string;
  readonly password: string;
}

/** An entry: its name, and its attributes with their values, as byte strings. */
export interface LdapEntry {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export interface LdapResult {
  readonly entries: readonly LdapEntry[];
  /** Where the search goes on. */
  readonly references: readonly string[];
}

/** Seconds. */
const connectTime = 15;
const searchTime = 60;

/** The library asks which attributes are to be left as octets: all. */
class EveryAttribute extends Array<string> {
  override includes(): boolean {
    return true;
  }
}

const octets = (value: Buffer | string): string =>
  typeof value === 'string' ? Buffer.from(value, 'utf8').toString('latin1') : value.toString('latin1');

function read(path: string | undefined): Buffer | undefined {
  return path === undefined || path === ''
    ? undefined
    : files.read(reviewed(path, 'a setting of the configuration file'));
}

function authorities(main: MainOptions): Buffer[] {
  const found: Buffer[] = [];
  const file = read(main.ldap_ca_cert_file);
  if (file !== undefined) found.push(file);
  if (main.ldap_ca_cert_dir !== undefined && main.ldap_ca_cert_dir !== '') {
    const directory: Clean = reviewed(main.ldap_ca_cert_dir, 'a setting of the configuration file');
    for (const name of files.list(directory)) {
      const component = pathComponent(name);
      const path = component && pathOf(directory, component);
      if (path !== undefined && files.stat(path)?.isFile() === true) found.push(files.read(path));
    }
  }
  return found;
}

/** Values of ldap_require_cert with which the server has to prove who it is; another word means `never`. */
const strict: ReadonlySet<string | undefined> = new Set([undefined, '', 'hard', 'demand', 'try']);

function tlsOptions(host: string, main: MainOptions): ConnectionOptions {
  const ca = authorities(main);
  const cert = read(main.ldap_cert_file);
  const key = read(main.ldap_cert_key);
  const ciphers = main.ldap_cipher_suite;
  return {
    host,
    rejectUnauthorized: strict.has(main.ldap_require_cert),
    ...(ca.length > 0 ? { ca } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ciphers === undefined || ciphers === '' ? {} : { ciphers }),
  };
}

export class LdapConnection implements PooledConnection {
  readonly #client: Client;
  readonly #socket: LibrarySocket;

  private constructor(client: Client, socket: LibrarySocket) {
    this.#client = client;
    this.#socket = socket;
  }

  /** Connects and binds. @throws the library's error */
  static async open(
    place: LdapPlace,
    { user, password }: LdapUser,
    main: MainOptions,
    seconds = 0,
  ): Promise<LdapConnection> {
    const isPath = place.host.startsWith('/');
    const withTls = !isPath && (place.scheme === 'ldaps' || main.ldap_start_tls);
    // files that cannot be read are told before anything is opened
    const tls = withTls ? tlsOptions(place.host, main) : undefined;
    const socket = connectLibrary(
      isPath ? { path: reviewed(place.host, 'the host of an LDAP query is clean') } : place,
    );
    const patience = (seconds > 0 ? seconds : connectTime) * 1000;
    const client = new (loadLdap().Client)({
      url: tls !== undefined && place.scheme === 'ldaps' ? 'ldaps://socket' : 'ldap://socket',
      createConnection: (() => socket.socket) as never,
      // called with port, host and options, or with the options alone
      createSecureConnection: ((...words: readonly unknown[]) =>
        secureLibrary(socket, words.at(-1) as ConnectionOptions)) as never,
      ...(tls === undefined || place.scheme !== 'ldaps' ? {} : { tlsOptions: tls }),
      connectTimeout: patience,
    });
    const connection = new LdapConnection(client, socket);
    try {
      await socket.bounded(patience, async () => {
        if (tls !== undefined && place.scheme !== 'ldaps') await client.startTLS(tls);
        await client.bind(decodeUtf8(user), decodeUtf8(password));
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get isUsable(): boolean {
    return this.#client.isConnected;
  }

  hold(holds: boolean): void {
    this.#socket.hold(holds);
  }

  close(): void {
    this.#socket.close();
  }

  /** @throws the library's error */
  async search({ base, attributes, scope, filter }: LdapSearch, settings: LdapSettings): Promise<LdapResult> {
    const patience = (settings.netTime > 0 ? settings.netTime : searchTime) * 1000;
    const ask = (): Promise<SearchResult> =>
      this.#client.search(decodeUtf8(base), {
        scope,
        // the library calls nothing else of a filter
        filter: { write: (writer: Parameters<Filter['write']>[0]) => writeFilter(filter, writer) } as Filter,
        attributes: [...attributes],
        sizeLimit: settings.size,
        timeLimit: settings.time,
        derefAliases: settings.dereference,
        explicitBufferAttributes: new EveryAttribute(),
      });
    const { searchEntries, searchReferences } = await this.#socket.bounded(patience, ask);
    return {
      references: searchReferences,
      entries: searchEntries.map(({ dn, ...values }) => ({
        name: octets(dn),
        attributes: new Map(
          Object.entries(values)
            .map(([name, value]): [string, string[]] => [
              octets(name),
              (Array.isArray(value) ? value : [value]).map(octets),
            ])
            .filter(([, found]) => found.length > 0),
        ),
      })),
    };
  }
}
