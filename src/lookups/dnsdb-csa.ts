/**
 * Client SMTP authorization (Exim spec 9.12, 44.52): whether the owner of a name lets a host of that name send mail, as
 * SRV records tell. For `dnsdb` with the type CSA, and for `verify = csa`.
 *
 * Exim's manual says that the parents of a name are searched when it has no record. Exim does so only when the name of
 * the record exists without one; so does this.
 */

import { parseIp, reverseName } from '../net/address.ts';
import type { ServiceLocation } from '../net/dns-records.ts';
import type { Ask, Records } from './dnsdb-types.ts';
import type { MainOptions } from './surroundings.ts';

/** The only version there is. */
const version = 1;

/** By the weight of a record of the name itself. */
const ownCodes: ReadonlyMap<number, string> = new Map([
  [0, 'N'],
  [1, 'N'],
  [2, 'Y'],
  [3, '?'],
]);

function ownText({ priority, weight, target }: ServiceLocation): string {
  const code = priority === version ? ownCodes.get(weight) : undefined;
  return code === undefined ? '' : `${code} ${target}`;
}

/** Whether a record of a parent says that all names below it need a record of their own. */
function demandsRecords({ priority, port }: ServiceLocation): boolean {
  return priority === version && (port & 1) === 1;
}

function parentText(record: ServiceLocation): string {
  if (record.priority !== version) return '';
  return `${demandsRecords(record) ? 'X' : '?'} ${record.target}`;
}

export type CsaOptions = Pick<MainOptions, 'dns_csa_search_limit' | 'dns_csa_use_reverse'>;

/** The records of a name, or those of a parent that says that the name would need some. */
export type CsaAnswer =
  | { readonly outcome: 'own' | 'demanded'; readonly records: readonly ServiceLocation[] }
  | { readonly outcome: 'nothing' | 'again' };

/** The name that is asked for; an address has one in the reverse DNS. */
function nameOf(text: string, options: CsaOptions): string {
  const octets = options.dns_csa_use_reverse ? parseIp(text) : undefined;
  return octets === undefined ? text : reverseName(octets);
}

/** The parents of a name from just below its top level domain downwards, at most `limit`. */
function parentsOf(name: string, limit: number): string[] {
  const labels = name.replace(/\.$/, '').split('.');
  const top = /\.(?:in-addr|ip6)\.arpa$/i.test(name) ? 2 : 1;
  const parents: string[] = [];
  for (let count = top + 1; count < labels.length && parents.length < limit; count++) {
    parents.push(labels.slice(-count).join('.'));
  }
  return parents;
}

export async function csaRecords(
  text: string,
  _separator: string | undefined,
  ask: Ask,
  options: MainOptions,
): Promise<Records> {
  const found = await findCsa(text, ask, options);
  if (!('records' in found)) return found;
  return { outcome: 'found', texts: found.records.map(found.outcome === 'own' ? ownText : parentText) };
}

export async function findCsa(text: string, ask: Ask, options: CsaOptions): Promise<CsaAnswer> {
  const name = nameOf(text, options);
  const own = await ask(`_client._smtp.${name}`, 'SRV');
  if (own.outcome === 'found') return { outcome: 'own', records: own.records };
  if (own.outcome === 'again' || own.kind === 'nxdomain') return { outcome: own.outcome };
  for (const parent of parentsOf(name, options.dns_csa_search_limit)) {
    const answer = await ask(`_client._smtp.${parent}`, 'SRV');
    if (answer.outcome === 'again') return { outcome: 'again' };
    if (answer.outcome === 'found' && answer.records.some(demandsRecords)) {
      return { outcome: 'demanded', records: answer.records };
    }
  }
  return { outcome: 'nothing' };
}
