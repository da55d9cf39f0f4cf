/** Domain lists (Exim spec 10.9). */

import type { Context, MailExchangers } from '../expand/context.ts';
import { then } from '../lib/eventual.ts';
import { lower } from '../lib/octets.ts';
import { Text } from '../safe/taint.ts';
import { hostKind } from './host-list.ts';
import { compileList, type ItemAnswer, type ItemTest, type KindOfList, matchItems, namedListTest } from './list.ts';
import { noMatch, stringTest, whole } from './pattern.ts';

type Exchanger = { readonly name: string; readonly preference: number };

/** Which of a domain's MX hosts have to be this host for an item to match. */
const exchangerItems: ReadonlyMap<string, (local: readonly Exchanger[], lowest: number) => boolean> = new Map([
  ['@mx_any', (local) => local.length > 0],
  ['@mx_primary', (local, lowest) => local.some(({ preference }) => preference === lowest)],
  ['@mx_secondary', (local, lowest) => local.length > 0 && local.every(({ preference }) => preference !== lowest)],
]);

function exchangerTest(item: Text, name: string, ignored: Text | undefined): ItemTest {
  const wanted = exchangerItems.get(name);
  if (wanted === undefined) return () => noMatch;
  return ({ text }, context) => {
    // a domain literal has no MX records
    if (text.startsWith('[')) return noMatch;
    return then(context.services.mailExchangers(text, context), async (found): Promise<ItemAnswer> => {
      if (found.outcome === 'defer') return { outcome: 'defer', message: found.message };
      if (found.outcome === 'unknown') return noMatch;
      const local = await localOnes(found, ignored, context);
      const lowest = Math.min(...found.hosts.map(({ preference }) => preference));
      return wanted(local, lowest) ? { outcome: 'match', value: item, numeric: whole(text) } : noMatch;
    });
  };
}

/** Those MX hosts that have an address of this host which is not among the ignored ones. */
async function localOnes(
  found: MailExchangers & { readonly outcome: 'found' },
  ignored: Text | undefined,
  context: Context,
): Promise<Exchanger[]> {
  const ours = new Set(context.services.localAddresses());
  const local: Exchanger[] = [];
  for (const host of found.hosts) {
    const addresses = await context.services.hostAddresses(host.name, context);
    if (addresses.outcome !== 'found') continue;
    for (const address of addresses.addresses) {
      if (!ours.has(address)) continue;
      const subject = { text: address, original: address, caseful: false };
      const skip = ignored && (await matchItems(compileList(hostKind, ignored), subject, context));
      if (skip?.outcome !== 'match') {
        local.push(host);
        break;
      }
    }
  }
  return local;
}

export const domainKind: KindOfList = {
  kind: 'domain',
  fileComment: /#.*$/,
  controls: new Set(),
  compile(item) {
    const { value } = item;
    if (value.startsWith('+')) return namedListTest(domainKind, value.slice(1));
    if (value === '@') {
      return ({ text }, { settings }) =>
        text === lower(settings.primaryHostname)
          ? { outcome: 'match', value: Text.configured(settings.primaryHostname), numeric: whole(text) }
          : noMatch;
    }
    if (value === '@[]') {
      return ({ text }, { services }) => {
        const address = /^\[(?:ipv6:)?(.*)\]$/i.exec(text)?.[1];
        return address !== undefined && services.localAddresses().includes(address)
          ? { outcome: 'match', value: item, numeric: whole(text) }
          : noMatch;
      };
    }
    const exchanger = /^(@mx_[a-z]+)(?:\/ignore=(.*))?$/s.exec(value);
    if (exchanger !== null) {
      const [, name = '', ignored] = exchanger;
      return exchangerTest(item, name, ignored === undefined ? undefined : Text.derived(ignored, item));
    }
    return stringTest(item);
  },
};

export const localPartKind: KindOfList = {
  kind: 'localpart',
  fileComment: /(?:^|[ \t-\r])#.*$/,
  controls: new Set(['+caseful']),
  compile: (item) =>
    item.value.startsWith('+') ? namedListTest(localPartKind, item.value.slice(1)) : stringTest(item),
};
