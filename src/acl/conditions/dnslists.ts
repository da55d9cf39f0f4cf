/**
 * `dnslists`: whether a host or a name is on one of the lists that are kept in the DNS (Exim spec 44.27 - 44.37). Answers
 * are kept by the DNS client for as long as their owner allows, for all sessions.
 */

import { splitList } from '../../lib/list-text.ts';
import { parseIp } from '../../net/address.ts';
import type { AclRun, ConditionAnswer, TextCondition } from '../acl.ts';
import { type DnsListFilter, type DnsListItem, dnsListName, parseDnsListItem, passesFilter } from '../dns-list-item.ts';

/** What a list that cannot be asked counts as (Exim spec 44.27). */
type WhenUnknown = 'include' | 'exclude' | 'defer';

const switches: ReadonlyMap<string, WhenUnknown> = new Map([
  ['+include_unknown', 'include'],
  ['+exclude_unknown', 'exclude'],
  ['+defer_unknown', 'defer'],
]);

const consequences: Readonly<Record<WhenUnknown, string>> = {
  include: 'assumed in list',
  exclude: 'assumed not in list',
  defer: 'returned DEFER',
};

interface Entry {
  readonly value: string;
  readonly text: string;
}

type Finding =
  | { readonly outcome: 'listed'; readonly addresses: string }
  | { readonly outcome: 'not listed' }
  | { readonly outcome: 'unknown'; readonly name: string };

/** Asks one list about one key. */
async function ask(key: string, domain: string, filter: DnsListFilter | undefined, run: AclRun): Promise<Finding> {
  const { services } = run;
  const name = dnsListName(key, domain);
  const answer = await services.resolver.resolve(name, 'A');
  if (answer.outcome === 'again') return { outcome: 'unknown', name };
  if (answer.outcome === 'nothing') return { outcome: 'not listed' };
  const addresses = answer.records.map((record) => parseIp(record) ?? new Uint8Array(4));
  const all = answer.records.join(', ');
  if (filter !== undefined) {
    return passesFilter(addresses, filter) ? { outcome: 'listed', addresses: all } : { outcome: 'not listed' };
  }
  // a list whose domain was lost answers with addresses of its new owner
  let isListed = false;
  for (const [index, address] of addresses.entries()) {
    if (address[0] === 127) isListed = true;
    else {
      const shown = answer.records[index];
      services.log(['main'], `DNS list lookup for ${key} at ${domain} returned ${shown}; not in 127.0/8 and discarded`);
    }
  }
  return isListed ? { outcome: 'listed', addresses: all } : { outcome: 'not listed' };
}

/** The text of a list, as far as it stands in the first string of its first record. */
async function textOf(key: string, domain: string, run: AclRun): Promise<string> {
  const answer = await run.services.resolver.resolve(dnsListName(key, domain), 'TXT');
  return answer.outcome === 'found' ? (answer.records[0]?.[0] ?? '') : '';
}

async function lookUp(key: string, item: DnsListItem, run: AclRun): Promise<Finding & Partial<Entry>> {
  const { domain, textDomain, filter } = item;
  let found = await ask(key, domain, filter, run);
  if (found.outcome === 'listed' && textDomain !== domain) found = await ask(key, textDomain, undefined, run);
  if (found.outcome !== 'listed') return found;
  return { ...found, value: found.addresses, text: await textOf(key, textDomain, run) };
}

/** Whether one item of the condition matches. */
async function testItem(item: DnsListItem, whenUnknown: WhenUnknown, run: AclRun): Promise<ConditionAnswer> {
  const { context, phase, services } = run;
  const host = context.connection?.hostAddress ?? '';
  if (item.keys === undefined && phase.startsWith('non-SMTP')) {
    return { error: `cannot test auto-keyed dnslists condition in ${phase} ACL` };
  }
  let isDeferred = false;
  for (const key of item.keys ?? (host === '' ? [] : [host])) {
    const found = await lookUp(key, item, run);
    if (found.outcome === 'unknown') {
      const what = `DNS list lookup defer (probably timeout) for ${found.name}`;
      if (services.logsDeferredDnsLists) services.log(['main'], `${what}: ${consequences[whenUnknown]}`);
    }
    const isListed = found.outcome === 'listed' || (found.outcome === 'unknown' && whenUnknown === 'include');
    if (context.decisions.listening) {
      const answer = isListed ? 'listed' : found.outcome;
      context.decisions.step('acl', `dnslists ${key} at ${item.domain}`, answer, found.value);
    }
    if (isListed) {
      const { value = '', text = '' } = found;
      if (context.acl) context.acl.dnsList = { domain: item.textDomain, matched: key, value, text };
      return 'true';
    }
    isDeferred ||= found.outcome === 'unknown' && whenUnknown === 'defer';
  }
  return isDeferred ? { defer: '' } : 'false';
}

export const dnslists: TextCondition = {
  kind: 'condition',
  name: 'dnslists',
  doc: 'The client, or a key that is given, is on a list that is kept in the DNS.',
  forbidden: [],
  async test(text, run) {
    let whenUnknown: WhenUnknown = 'exclude';
    for (const word of splitList(text).items) {
      if (word.startsWith('+')) {
        const wanted = switches.get(word);
        if (wanted === undefined) run.services.log(['main', 'panic'], `unknown item in dnslist (ignored): ${word}`);
        whenUnknown = wanted ?? whenUnknown;
        continue;
      }
      const item = parseDnsListItem(word);
      for (const domain of new Set([item.domain, item.textDomain])) {
        if (!/^[A-Za-z0-9_.-]*$/.test(domain)) {
          run.services.log(['main'], `dnslists domain "${domain}" contains strange characters - is this right?`);
        }
      }
      const answer = await testItem(item, whenUnknown, run);
      if (answer !== 'false') return answer;
    }
    return 'false';
  },
};
