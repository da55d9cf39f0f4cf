/** Where a PostgreSQL server is, from an item of pgsql_servers (Exim spec 9.22, 9.25), and libpq's words for failing to reach it. */

import { userInfo } from 'node:os';
import { errorCode, errorText } from '../lib/errno.ts';
import { isIp } from '../net/address.ts';
import type { Clean } from '../safe/taint.ts';
import { serverFields, withoutPassword } from './server-list.ts';

export interface PgsqlPlace {
  /** A host, or the directory of the socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

const standardDirectory = '/var/run/postgresql';
const standardPort = 5432;

/** @returns the place, or what is wrong with the item */
export function pgsqlPlace(item: Clean): PgsqlPlace | { readonly error: string } {
  const fields = serverFields(item);
  if (fields === undefined) return { error: `incomplete pgSQL server data: ${withoutPassword(item)}` };
  const { host: server, database, password } = fields;
  const user = fields.user === '' ? userInfo().username : fields.user;
  const account = { database: database === '' ? user : database, user, password };
  if (server.startsWith('(')) {
    const path = server.replace(/^\(|\)$/g, '');
    const [, directory, digits] = /^(.*)\/\.s\.PGSQL\.(\d{1,5})$/s.exec(path) ?? [];
    if (directory === undefined) return { error: `PGSQL invalid filename for socket: ${path}` };
    return { host: directory === '' ? '/' : directory, port: Number(digits), ...account };
  }
  const [, host = '', portText] = /^(.*?)(?::([^:]*))?$/s.exec(server) ?? [];
  const bracketed = /^\[(.*)\]$/s.exec(host)?.[1] ?? host;
  if (portText !== undefined && !/^\d{1,9}$/.test(portText)) {
    return { error: `PGSQL connection failed: invalid integer value "${portText}" for connection option "port"\n` };
  }
  const port = portText === undefined ? standardPort : Number(portText);
  if (port < 1 || port > 65_535) return { error: `PGSQL connection failed: invalid port number: "${port}"\n` };
  return { host: bracketed === '' ? standardDirectory : bracketed, port, ...account };
}

/** Why one address could not be reached. */
function reasonAt({ host, port }: PgsqlPlace, error: unknown): string {
  if (host.startsWith('/')) {
    const hint = '\tIs the server running locally and accepting connections on that socket?\n';
    return `connection to server on socket "${host}/.s.PGSQL.${port}" failed: ${reasonAndHint(error, hint)}`;
  }
  const address = typeof error === 'object' && error !== null && 'address' in error ? String(error.address) : '';
  const shown = isIp(host) || address === '' ? '' : ` (${address})`;
  const hint = '\tIs the server running on that host and accepting TCP/IP connections?\n';
  return `connection to server at "${host}"${shown}, port ${port} failed: ${reasonAndHint(error, hint)}`;
}

function reasonAndHint(error: unknown, hint: string): string {
  if (error instanceof Error && 'severity' in error) return `${String(error.severity)}:  ${error.message}\n`;
  return `${errorText(error)}\n${/^E(?!TIMEDOUT)/.test(errorCode(error) ?? '') ? hint : ''}`;
}

const unknownName: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** Why there is no connection. */
export function connectionFailure(place: PgsqlPlace, error: unknown): string {
  const code = errorCode(error);
  if (unknownName.has(code)) {
    const reason = code === 'ENOTFOUND' ? 'Name or service not known' : 'Temporary failure in name resolution';
    return `PGSQL connection failed: could not translate host name "${place.host}" to address: ${reason}\n`;
  }
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  return `PGSQL connection failed: ${errors.map((one) => reasonAt(place, one)).join('')}`;
}
