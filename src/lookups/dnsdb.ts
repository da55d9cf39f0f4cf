/**
 * `dnsdb`: the DNS as a database (Exim spec 9.10 - 9.13). What it finds is what strangers wrote, so it is tainted. A
 * failure to get an answer defers without words, as in Exim; the decision record has the reason.
 */

import type { Context } from '../expand/context.ts';
import { keep } from '../expand/kept.ts';
import type { DnsAnswer } from '../net/dns-answer.ts';
import { Text } from '../safe/taint.ts';
import { type DnsdbQuery, parseDnsdbQuery } from './dnsdb-query.ts';
import { type Ask, dnsdbTypes } from './dnsdb-types.ts';
import { defineLookup, type Found, notFound } from './lookup.ts';
import type { Surroundings } from './surroundings.ts';

/** Octets of an answer. */
const longest = 1024 * 1024;

/** Counts an answer that was not verified as none when the query says so, and tells `$lookup_dnssec_authenticated`. */
function checked<Data>(answer: DnsAnswer<Data>, query: DnsdbQuery, context: Context): DnsAnswer<Data> {
  const secure = answer.outcome !== 'again' && answer.secure;
  keep(context, 'lookup_dnssec_authenticated', Text.configured(query.dnssec === 'never' ? '' : secure ? 'yes' : 'no'));
  if (query.dnssec !== 'strict' || answer.outcome !== 'found' || secure) return answer;
  return { outcome: 'again', kind: 'fault', message: `the records of ${answer.name} are not verified by DNSSEC` };
}

function askFor(query: DnsdbQuery, { resolver }: Surroundings, context: Context): Ask {
  const { timeout, attempts } = query;
  const options = {
    dnssec: query.dnssec !== 'never',
    ...(timeout === undefined ? {} : { timeout }),
    ...(attempts === undefined ? {} : { attempts }),
  };
  return async (name, type) => {
    const answer = checked(await resolver.resolve(name, type, options), query, context);
    if (context.decisions.listening) {
      context.decisions.step(
        'lookup',
        `DNS ${name} ${type}`,
        answer.outcome,
        'message' in answer ? answer.message : '',
      );
    }
    return answer;
  };
}

async function find(text: string, surroundings: Surroundings, context: Context): Promise<Found> {
  const query = parseDnsdbQuery(text);
  if ('error' in query) return { outcome: 'defer', message: query.error };
  const questions = dnsdbTypes.get(query.type);
  if (questions === undefined) return { outcome: 'defer', message: 'unsupported DNS record type' };
  const ask = askFor(query, surroundings, context);
  let value = '';
  let failed = false;
  for (const name of query.names) {
    for (const question of questions) {
      const records = await question(name, query.fieldSeparator, ask, surroundings.main);
      if (records.outcome === 'again') {
        if (query.deferral === 'strict') return { outcome: 'defer', message: '' };
        failed ||= query.deferral === 'lax';
      }
      if (records.outcome !== 'found') continue;
      for (const record of records.texts) {
        // nothing stands before the first text, and an empty one is none
        if (value !== '') value += query.separator;
        value += record;
      }
      if (value.length > longest) return { outcome: 'defer', message: 'the answer of dnsdb is longer than 1 MB' };
    }
  }
  if (value !== '') return { outcome: 'found', value };
  return failed ? { outcome: 'defer', message: '' } : notFound;
}

export const dnsdb = defineLookup({
  name: 'dnsdb',
  doc: 'the DNS',
  style: 'query',
  options: [],
  vouches: false,
  open: (surroundings) => ({
    find: (query, _options, context) => find(query.value, surroundings, context),
    close: () => undefined,
  }),
  quote: (text) => text,
});
