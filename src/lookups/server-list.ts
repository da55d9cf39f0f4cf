/**
 * Lists of database servers (Exim spec 9.22, 9.23): from the main option, from the option behind the search type, or in
 * the old form from the query. They are asked one after the other until one answers; one that was just found dead is
 * asked last.
 */

import { elapsed } from '../lib/clock.ts';
import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import { type Clean, clean, reviewed, type Text } from '../safe/taint.ts';
import type { Found, LookupOptions } from './lookup.ts';
import type { ServerList } from './surroundings.ts';

/** What messages of a driver say. */
export interface DatabaseNames {
  /** `PostgreSQL`, as in `no PostgreSQL servers defined`. */
  readonly product: string;
  /** The main option. */
  readonly option: string;
}

export type ServersOf =
  | { readonly servers: readonly Clean[]; readonly query: Text }
  /** A mistake in the configuration. */
  | { readonly error: string };

const oldForm = /^servers[ \t-\r]*=/;

/** The servers for a query, and the query without them. */
export function serversFor(
  text: Text,
  options: LookupOptions,
  standard: ServerList | undefined,
  names: DatabaseNames,
): ServersOf {
  const known = standard?.items ?? [];
  const named = options.get('servers');
  if (named !== undefined) {
    const reason = 'an option behind a search type stands in the configuration; a tainted list is refused as a query';
    const servers = fromList(reviewed(named, reason), known, names);
    return 'error' in servers ? servers : { servers: servers.found, query: text };
  }
  const begins = oldForm.exec(text.value)?.[0];
  if (begins === undefined) {
    if (known.length === 0) return { error: `no ${names.product} servers defined (${names.option} option)` };
    return { servers: known, query: text };
  }
  const end = text.value.indexOf(';');
  if (end < 0) return { error: `missing ; after "servers=" in ${names.product} lookup` };
  const list = clean(text.slice(begins.length, end));
  if (list === undefined) return { error: `tainted text in "servers=" of a query: "${text.value}"` };
  if (trim(list) === '') return { error: `"servers=" defines no servers in "${text.value}"` };
  const servers = fromList(list, known, names);
  if ('error' in servers) return servers;
  const blanks = /^[ \t-\r]*/.exec(text.value.slice(end + 1))?.[0].length ?? 0;
  return { servers: servers.found, query: text.slice(end + 1 + blanks) };
}

/** A server without a slash stands for the item of the main option that has this host. */
function fromList(
  list: Clean,
  known: readonly Clean[],
  { product, option }: DatabaseNames,
): { readonly found: readonly Clean[] } | { readonly error: string } {
  const found: Clean[] = [];
  for (const text of splitList(list).items) {
    const item = reviewed(text, 'an item of a clean list');
    const server = item.includes('/') ? item : known.find((candidate) => candidate.startsWith(`${item}/`));
    if (server === undefined) return { error: `${product} server "${item}" not found in ${option}` };
    found.push(server);
  }
  return found.length === 0 ? { error: `no ${product} servers in "${list}"` } : { found };
}

/** How long, in milliseconds, a server that could not be reached is asked after the others. */
const avoidance = 10_000;

/** Knows which servers could not be reached lately. */
export class ServerOrder {
  readonly #failed = new Map<string, number>();

  failed(server: string): void {
    this.#failed.set(server, elapsed());
  }

  answered(server: string): void {
    if (this.#failed.size > 0) this.#failed.delete(server);
  }

  /** In the order given, but with those that were dead a moment ago at the end. */
  order(servers: readonly Clean[]): readonly Clean[] {
    if (this.#failed.size === 0 || servers.length < 2) return servers;
    const limit = elapsed() - avoidance;
    const isDead = (server: Clean): boolean => (this.#failed.get(server) ?? Number.NEGATIVE_INFINITY) > limit;
    return [...servers.filter((server) => !isDead(server)), ...servers.filter(isDead)];
  }
}

/** What one server said; `unreachable` when there was no connection, `final` when no other is to be asked. */
export type ServerAnswer = Found & { readonly unreachable?: boolean; readonly final?: boolean };

/** Asks one server after the other until one answers. */
export async function askInTurn(
  servers: readonly Clean[],
  order: ServerOrder,
  ask: (server: Clean) => Promise<ServerAnswer>,
): Promise<Found> {
  let answer: ServerAnswer = { outcome: 'defer', message: 'no server to ask' };
  for (const server of order.order(servers)) {
    answer = await ask(server);
    if (answer.outcome === 'defer' && answer.unreachable === true) order.failed(server);
    else order.answered(server);
    if (answer.outcome !== 'defer' || answer.final === true) return answer;
  }
  return answer;
}

/** `host/database/user/password`, taken apart from the right; nothing when there is too little. */
export function serverFields(
  item: Clean,
): { readonly host: Clean; readonly database: string; readonly user: string; readonly password: string } | undefined {
  const [, host, database = '', user = '', password = ''] = /^(.*)\/([^/]*)\/([^/]*)\/([^/]*)$/s.exec(item) ?? [];
  if (host === undefined) return undefined;
  return { host: reviewed(host, 'the first part of a clean text'), database, user, password };
}

/** What is left of an item in which parts are missing, as messages show it: without the last, which may be a password. */
export function withoutPassword(item: Clean): string {
  const slash = item.lastIndexOf('/');
  return slash < 0 ? item : item.slice(0, slash);
}
