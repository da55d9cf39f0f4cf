/**
 * Asking LDAP servers: which servers a query is for (Exim spec 9.17), connections that are used again, and referrals.
 * What keeps a server from answering defers, so that mail waits and is not refused.
 */

import { splitList } from '../lib/list-text.ts';
import { type Clean, reviewed, Text } from '../safe/taint.ts';
import { LdapConnection, type LdapEntry, type LdapPlace, type LdapResult, type LdapUser } from './ldap-connection.ts';
import { invalidCredentials, ldapErrorText, ldapResultCode, meansBusy, meansNotFound } from './ldap-errors.ts';
import { type LdapQuery, parseLdapQuery } from './ldap-query.ts';
import { ServerOrder } from './server-list.ts';
import { ServerPool } from './server-pool.ts';
import type { MainOptions } from './surroundings.ts';

export type LdapAnswer =
  | { readonly outcome: 'found'; readonly entries: readonly LdapEntry[] }
  | { readonly outcome: 'not found' }
  /** The server does not accept user and password. */
  | { readonly outcome: 'not accepted'; readonly message: string }
  | { readonly outcome: 'defer'; readonly message: string; readonly tryNext: boolean };

const standardPorts = { ldap: 389, ldaps: 636, ldapi: 0 } as const;
const mostReferrals = 10;

class BindFailure extends Error {
  readonly code: number | undefined;

  constructor(place: LdapPlace, error: unknown) {
    const code = ldapResultCode(error);
    const server = place.host.startsWith('/') ? place.host : `${place.host}:${place.port}`;
    const reason = code === undefined ? 'ldap_bind() returned -1' : ldapErrorText(code);
    super(`failed to bind the LDAP connection to server ${server} - ${reason}`, { cause: error });
    this.code = code;
  }
}

function placeOf({ scheme }: LdapQuery, server: string): LdapPlace | { readonly error: string } {
  if (server.startsWith('/')) return { scheme: 'ldapi', host: server, port: 0 };
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|([^:]*|.*:.*:.*?))(?::(\d{1,5}))?$/s.exec(server) ?? [];
  const host = bracketed ?? plain;
  if (scheme === 'ldapi') return { error: `ldapi requires an absolute path ("${host}" given)` };
  return { scheme, host: host === '' ? 'localhost' : host, port: Number(port ?? standardPorts[scheme]) };
}

export class LdapDirectory {
  readonly #pools = new Map<string, ServerPool<LdapConnection>>();
  readonly #order = new ServerOrder();
  readonly #main: MainOptions;

  constructor(main: MainOptions) {
    this.#main = main;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  /** Searches on the servers of the query, one after the other, until one answers. */
  search(query: LdapQuery): Promise<LdapAnswer> {
    return this.#onEach(query, (place) => this.#searchOn(place, query));
  }

  /** Whether a server accepts user and password. The connection is not used for anything else. */
  authenticate(query: LdapQuery): Promise<LdapAnswer> {
    return this.#onEach(query, async (place) => {
      const connection = await this.#open(place, query, query);
      connection.close();
      return { outcome: 'found', entries: [] };
    });
  }

  #serversFor({ host, port, settings }: LdapQuery): readonly Clean[] {
    if (host !== '') {
      const server =
        host.startsWith('/') || port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
      return [reviewed(server, 'only a clean host comes out of a query')];
    }
    const listed = settings.servers;
    if (listed === undefined) {
      const standard = this.#main.ldap_default_servers?.items ?? [];
      return standard.length > 0 ? standard : [reviewed('localhost', 'a name of the program')];
    }
    return splitList(listed.value).items.map((item) => reviewed(item, 'an item of a clean list'));
  }

  async #onEach(query: LdapQuery, ask: (place: LdapPlace) => Promise<LdapAnswer>): Promise<LdapAnswer> {
    let answer: LdapAnswer = { outcome: 'defer', message: 'no LDAP server to ask', tryNext: true };
    for (const server of this.#order.order(this.#serversFor(query))) {
      const place = placeOf(query, server);
      if ('error' in place) {
        answer = { outcome: 'defer', message: place.error, tryNext: true };
        continue;
      }
      answer = await ask(place).catch(deferral);
      if (answer.outcome === 'defer' && answer.tryNext) this.#order.failed(server);
      else this.#order.answered(server);
      if (answer.outcome !== 'defer' || !answer.tryNext) return answer;
    }
    return answer;
  }

  async #open(place: LdapPlace, user: LdapUser, { settings }: LdapQuery): Promise<LdapConnection> {
    try {
      return await LdapConnection.open(place, user, this.#main, settings.netTime);
    } catch (error) {
      throw new BindFailure(place, error);
    }
  }

  async #searchOn(place: LdapPlace, query: LdapQuery): Promise<LdapAnswer> {
    const { search, settings } = query;
    const work = (connection: LdapConnection): Promise<LdapResult> => connection.search(search, settings);
    let result: LdapResult;
    try {
      result = await this.#use(place, query, work);
    } catch (error) {
      if (error instanceof BindFailure) throw error;
      if (meansNotFound.has(ldapResultCode(error))) return { outcome: 'not found' };
      throw error;
    }
    const entries = [...result.entries];
    if (settings.followReferrals) await this.#follow(result.references, query, entries, mostReferrals);
    return entries.length === 0 ? { outcome: 'not found' } : { outcome: 'found', entries };
  }

  async #use<T>(place: LdapPlace, query: LdapQuery, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    // connections for users who come from outside are not kept: there may be many of them
    if (!query.isConstantUser) {
      const connection = await this.#open(place, query, query);
      try {
        return await work(connection);
      } finally {
        connection.close();
      }
    }
    const key = JSON.stringify([place, query.user, query.password]);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new ServerPool(() => this.#open(place, query, query));
      this.#pools.set(key, pool);
    }
    const open = pool;
    return open.use(work).catch((error: unknown) => {
      if (error instanceof BindFailure || ldapResultCode(error) !== undefined) throw error;
      // the connection was an old one, and the server was started again meanwhile
      return open.use(work, true);
    });
  }

  /** Goes on where the server says that the search goes on, as nobody. */
  async #follow(references: readonly string[], query: LdapQuery, entries: LdapEntry[], most: number): Promise<void> {
    for (const reference of references.slice(0, most)) {
      const next = parseLdapQuery(Text.vouched(Buffer.from(reference, 'utf8').toString('latin1')));
      if (!('search' in next) || next.host === '') continue;
      const place = placeOf(next, this.#serversFor(next)[0] ?? '');
      if ('error' in place) continue;
      const base = next.search.base === '' ? query.search.base : next.search.base;
      const scope = query.search.scope === 'one' ? 'base' : query.search.scope;
      const onwards: LdapQuery = { ...query, user: '', password: '', search: { ...query.search, base, scope } };
      const found = await this.#use(place, onwards, (connection) => connection.search(onwards.search, query.settings));
      entries.push(...found.entries);
      await this.#follow(found.references, query, entries, Math.floor(most / 2));
    }
  }
}

function deferral(error: unknown): LdapAnswer {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BindFailure) {
    if (error.code === invalidCredentials) return { outcome: 'not accepted', message };
    return { outcome: 'defer', message, tryNext: true };
  }
  const code = ldapResultCode(error);
  if (code === undefined) return { outcome: 'defer', message: `LDAP search failed - ${message}`, tryNext: true };
  const reason = ldapErrorText(code).replace(/^LDAP /, '');
  return { outcome: 'defer', message: `LDAP search failed - ${reason}`, tryNext: meansBusy.has(code) };
}
