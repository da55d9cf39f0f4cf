/** The manualroute router finds hosts by the administrator's own rules (Exim spec 20). */

import type { Context } from '../expand/context.ts';
import { compileTemplate, expandText, type Template } from '../expand/expand.ts';
import { readQuoted } from '../lib/escapes.ts';
import { splitList } from '../lib/list-text.ts';
import { trim, trimStart } from '../lib/octets.ts';
import { matchList } from '../lists/match.ts';
import type { OptionsOf } from '../options/table.ts';
import { Text } from '../safe/taint.ts';
import { findHosts } from './host-search.ts';
import { manualrouteOptions } from './manualroute-options.ts';
import { defineRouter, type HostLookup, type Routed, type RouterOutcome, type RouterServices } from './router.ts';

type Options = OptionsOf<typeof manualrouteOptions>;

/** A rule: which domains, which hosts, how they are used. */
interface Rule {
  readonly pattern: Text;
  readonly hosts: Template;
  readonly words: readonly string[];
}

/** What the words behind a host list say. */
interface Manner {
  readonly randomize: boolean;
  readonly lookup: HostLookup;
  readonly transport: string | undefined;
}

/** Words with blanks between them; a word in double quotes may hold blanks. */
function splitWords(text: string, most: number): string[] {
  const words: string[] = [];
  let rest = trim(text);
  while (rest !== '' && words.length < most) {
    const quoted = rest.startsWith('"') ? readQuoted(rest, 0) : undefined;
    const word = quoted?.value ?? /^[^ \t-\r]+/.exec(rest)?.[0] ?? '';
    words.push(word);
    rest = trimStart(rest.slice(quoted?.end ?? word.length));
  }
  return words;
}

/** Splits host list and options; the list may hold expansions, in which blanks do not count. */
function splitRule(text: string): { readonly hosts: string; readonly words: readonly string[] } {
  const trimmed = trim(text);
  const quoted = trimmed.startsWith('"') ? readQuoted(trimmed, 0) : undefined;
  if (quoted !== undefined) return { hosts: quoted.value, words: splitWords(trimmed.slice(quoted.end), 20) };
  let depth = 0;
  let end = 0;
  for (; end < trimmed.length; end++) {
    const character = trimmed[end] ?? '';
    if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (depth <= 0 && /[ \t-\r]/.test(character)) break;
  }
  return { hosts: trimmed.slice(0, end), words: splitWords(trimmed.slice(end), 20) };
}

function parseRules(routeList: string): Rule[] {
  return splitList(routeList, ';')
    .items.filter((item) => item !== '')
    .map((item) => {
      const [pattern = ''] = splitWords(item, 1);
      const quoted = item.startsWith('"') ? readQuoted(item, 0) : undefined;
      const { hosts, words } = splitRule(item.slice(quoted?.end ?? pattern.length));
      return { pattern: Text.configured(pattern), hosts: compileTemplate(hosts), words };
    });
}

/** Words that say how addresses are found. */
const lookupWords: ReadonlyMap<string, Partial<HostLookup>> = new Map([
  ['byname', { by: 'name' as const }],
  ['bydns', { by: 'dns' as const }],
  ['ipv4_only', { ipv4Only: true }],
  ['ipv4_prefer', { ipv4Prefer: true }],
]);

function readManner(words: readonly string[], options: Options): Manner | { readonly unknown: string } {
  let randomize = options.hosts_randomize;
  let lookup: HostLookup = { by: 'default', ipv4Only: false, ipv4Prefer: false };
  let transport: string | undefined;
  for (const word of words) {
    const change = lookupWords.get(word);
    if (change !== undefined) lookup = { ...lookup, ...change };
    else if (word === 'randomize' || word === 'no_randomize') randomize = word === 'randomize';
    else if (transport === undefined) transport = word;
    else return { unknown: word };
  }
  return { randomize, lookup, transport };
}

/** The rule that applies to the domain, with its host list expanded. */
async function findRule(
  options: Options,
  rules: readonly Rule[],
  routed: Routed,
  context: Context,
): Promise<{ readonly hosts: string; readonly words: readonly string[] } | RouterOutcome> {
  if (options.route_data !== undefined) {
    const data = await options.route_data.expand(context);
    if (!data.ok) {
      if (data.kind === 'forced') return { outcome: 'decline' };
      return { outcome: 'defer', message: `failed to expand "${options.route_data.source}": ${data.message}` };
    }
    if (data.text.value === '') return { outcome: 'decline' };
    const { hosts, words } = splitRule(data.text.value);
    const expanded = await expandText(Text.derived(hosts, data.text), context);
    return expanded.ok ? { hosts: expanded.text.value, words } : { outcome: 'decline' };
  }
  for (const rule of rules) {
    const answer = await matchList('domain', routed.domain, rule.pattern, context);
    if (answer.outcome === 'defer')
      return { outcome: 'defer', message: `lookup defer in route_list: ${answer.message}` };
    if (answer.outcome === 'no match') continue;
    const saved = context.results;
    const whole = Text.tainted(routed.domain);
    context.results = {
      ...saved,
      numeric: [whole, ...(answer.numeric ?? []).slice(1)],
      value: answer.value ?? saved.value,
    };
    const expanded = await rule.hosts.expand(context);
    context.results = saved;
    if (expanded.ok) return { hosts: expanded.text.value, words: rule.words };
    if (expanded.kind === 'forced') return { outcome: 'decline' };
    const message = `${context.address?.routerName ?? ''} router: failed to expand "${rule.hosts.source}": ${expanded.message}`;
    return { outcome: 'defer', message };
  }
  return { outcome: 'decline' };
}

/** A rule makes no sense. */
function misconfigured(what: string, services: RouterServices, { address }: Context): RouterOutcome {
  services.log(`Error in ${address?.routerName ?? ''} router: ${what}`);
  return { outcome: 'defer', message: `error in router: ${what}` };
}

export const manualroute = defineRouter({
  name: 'manualroute',
  summary: 'finds hosts by rules of the configuration',
  options: manualrouteOptions,
  transport: 'optional',
  check(options) {
    return (options.route_data === undefined) === (options.route_list === undefined)
      ? 'route_list or route_data (but not both) must be specified'
      : undefined;
  },
  make(options, common) {
    const rules = options.route_list === undefined ? [] : parseRules(options.route_list.source);
    return async (routed, context, services) => {
      const rule = await findRule(options, rules, routed, context);
      if ('outcome' in rule) return rule;
      const manner = readManner(rule.words, options);
      if ('unknown' in manner) {
        return misconfigured(`unknown routing option or transport name "${manner.unknown}"`, services, context);
      }
      if (manner.transport !== undefined && !services.transportExists(manner.transport)) {
        return misconfigured(`unknown routing option or transport name "${manner.transport}"`, services, context);
      }
      const verifying = routed.purpose === 'verify recipient' || routed.purpose === 'verify sender';
      const local = manner.transport !== undefined && services.transportIsLocal(manner.transport);
      const generic = manner.transport ?? common.transport?.constant?.value;
      if (local || (generic !== undefined && services.transportIsLocal(generic))) {
        const host = { name: rule.hosts, address: '', port: undefined, mx: undefined, secure: false };
        return { outcome: 'accept', hosts: rule.hosts === '' ? [] : [host], transport: manner.transport };
      }
      if (rule.hosts === '') {
        if (verifying) return { outcome: 'accept', hosts: [], transport: manner.transport };
        const what = `no host(s) specified for domain ${routed.domain}`;
        const message = `error in ${context.address?.routerName ?? ''} router: ${what}`;
        services.log(message);
        return { outcome: 'defer', message };
      }
      const search = {
        ...manner,
        whenNotFound: options.host_find_failed,
        whenAllIgnored: options.host_all_ignored,
      };
      const found = await findHosts(rule.hosts, search, common, routed, context, services);
      return 'outcome' in found ? found : { outcome: 'accept', hosts: found.hosts, transport: manner.transport };
    };
  },
});
