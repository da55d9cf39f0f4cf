/** The manualroute router finds hosts by the administrator's own rules (Exim spec 20). */

import type { Context, ListAnswer } from '../expand/context.ts';
import { compileTemplate, type Expansion, expandText, type Template } from '../expand/expand.ts';
import { readQuoted } from '../lib/escapes.ts';
import { splitList } from '../lib/list-text.ts';
import { trim, trimStart } from '../lib/octets.ts';
import { matchList } from '../lists/match.ts';
import type { OptionsOf } from '../options/table.ts';
import { Text } from '../safe/taint.ts';
import { findHosts } from './host-search.ts';
import { manualrouteOptions } from './manualroute-options.ts';
import { defineRouter, type HostLookup, type Routed, type RouterOutcome, type RouterServices } from './router.ts';

/** What may become of an address without a host. */
const whenMissing: readonly string[] = ['decline', 'defer', 'fail', 'freeze', 'pass'];

type Options = OptionsOf<typeof manualrouteOptions>;

/** A rule: which domains, which hosts, how they are used. */
interface Rule {
  readonly pattern: Template;
  readonly hosts: Template;
  /** What stands behind the hosts. */
  readonly words: string;
}

/** What the words behind a host list say. */
interface Manner {
  readonly randomize: boolean;
  readonly lookup: HostLookup;
  readonly transport: string | undefined;
}

/** A first word in double quotes may hold blanks; where the closing quote is missing, it goes on to the end. */
function takeWord(text: string): { readonly word: string; readonly rest: string } {
  if (!text.startsWith('"')) {
    const word = /^[^ \t-\r]*/.exec(text)?.[0] ?? '';
    return { word, rest: trimStart(text.slice(word.length)) };
  }
  const quoted = readQuoted(text, 0) ?? readQuoted(`${text}"`, 0);
  return { word: quoted?.value ?? '', rest: trimStart(text.slice(quoted?.end ?? text.length)) };
}

/** Host list and options. */
function splitRule(text: string): { readonly hosts: string; readonly words: string } {
  const { word, rest } = takeWord(trim(text));
  return { hosts: word, words: rest };
}

function parseRules(routeList: string): Rule[] {
  return splitList(routeList, ';')
    .items.filter((item) => item !== '')
    .map((item) => {
      const { word, rest } = takeWord(item);
      const { hosts, words } = splitRule(rest);
      return { pattern: compileTemplate(word), hosts: compileTemplate(hosts), words };
    });
}

/** Words that say how addresses are found. */
const lookupWords: ReadonlyMap<string, Partial<HostLookup>> = new Map([
  ['byname', { by: 'name' as const }],
  ['bydns', { by: 'dns' as const }],
  ['ipv4_only', { ipv4Only: true }],
  ['ipv4_prefer', { ipv4Prefer: true }],
]);

function readManner(text: string, options: Options, services: RouterServices): Manner | { readonly unknown: string } {
  let randomize = options.hosts_randomize;
  let lookup: HostLookup = { by: 'default', ipv4Only: false, ipv4Prefer: false };
  let transport: string | undefined;
  for (let rest = text; rest !== ''; ) {
    const [word = ''] = /^[^ \t-\r]+/.exec(rest) ?? [];
    const change = lookupWords.get(word);
    if (change !== undefined) lookup = { ...lookup, ...change };
    else if (word === 'randomize' || word === 'no_randomize') randomize = word === 'randomize';
    else if (services.transportExists(word)) transport = word;
    else return { unknown: rest };
    rest = trimStart(rest.slice(word.length));
  }
  return { randomize, lookup, transport };
}

/** The pattern is one item of a domain list, whatever colons it has. */
async function matchPattern(pattern: Template, domain: string, context: Context): Promise<ListAnswer> {
  const { constant } = pattern;
  const expansion = constant === undefined ? await pattern.expand(context) : { ok: true as const, text: constant };
  if (!expansion.ok) {
    const message = `failed to expand "${pattern.source}" while checking a list: ${expansion.message}`;
    return expansion.kind === 'forced' ? { outcome: 'no match' } : { outcome: 'defer', message, fault: true };
  }
  const { text } = expansion;
  const item = text.value.includes(':') ? Text.derived(text.value.replaceAll(':', '::'), text) : text;
  return matchList('domain', domain, item, context);
}

function notExpanded(
  source: string,
  expansion: Expansion & { readonly ok: false },
  { address }: Context,
): RouterOutcome {
  if (expansion.kind === 'forced') return { outcome: 'decline' };
  const message = `${address?.routerName ?? ''} router: failed to expand "${source}": ${expansion.message}`;
  return { outcome: 'defer', message };
}

/** The rule that applies to the domain, with its host list expanded. */
async function findRule(
  options: Options,
  rules: readonly Rule[],
  routed: Routed,
  context: Context,
  services: RouterServices,
): Promise<{ readonly hosts: string; readonly words: string } | RouterOutcome> {
  if (options.route_data !== undefined) {
    const data = await options.route_data.expand(context);
    if (!data.ok) {
      if (data.kind === 'forced') return { outcome: 'decline' };
      return { outcome: 'defer', message: `failed to expand "${options.route_data.source}": ${data.message}` };
    }
    if (data.text.value === '') return { outcome: 'decline' };
    const { hosts, words } = splitRule(data.text.value);
    // what comes from outside is good for a list of hosts as long as there is nothing in it to expand
    if (!/[$\\]/.test(hosts)) return { hosts, words };
    const expanded = await expandText(Text.derived(hosts, data.text), context);
    if (expanded.ok) return { hosts: expanded.text.value, words };
    return notExpanded(hosts, expanded, context);
  }
  for (const rule of rules) {
    const answer = await matchPattern(rule.pattern, routed.domain, context);
    if (answer.outcome === 'defer') {
      if (answer.fault) services.panic(answer.message);
      const why = answer.fault ? '' : `: ${answer.message}`;
      return { outcome: 'defer', message: `lookup defer in route_list${why}` };
    }
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
    return notExpanded(rule.hosts.source, expanded, context);
  }
  return { outcome: 'decline' };
}

/** The name of the router's transport, as far as it can be told; what is wrong with it is told when it is used. */
async function nameOf(transport: Template | undefined, context: Context): Promise<string | undefined> {
  if (transport === undefined || transport.constant !== undefined) return transport?.constant?.value;
  const expansion = await transport.expand(context);
  return expansion.ok ? expansion.text.value : undefined;
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
    if (![...whenMissing, 'ignore'].includes(options.host_find_failed)) {
      return 'unrecognized setting for host_find_failed option';
    }
    if (!whenMissing.includes(options.host_all_ignored)) return 'unrecognized setting for host_all_ignored option';
    return (options.route_data === undefined) === (options.route_list === undefined)
      ? 'route_list or route_data (but not both) must be specified'
      : undefined;
  },
  make(options, common) {
    const rules = options.route_list === undefined ? [] : parseRules(options.route_list.source);
    return async (routed, context, services) => {
      const rule = await findRule(options, rules, routed, context, services);
      if ('outcome' in rule) return rule;
      const manner = readManner(rule.words, options, services);
      if ('unknown' in manner) {
        return misconfigured(`unknown routing option or transport name "${manner.unknown}"`, services, context);
      }
      const verifying = routed.purpose === 'verify recipient' || routed.purpose === 'verify sender';
      const local = manner.transport !== undefined && services.transportIsLocal(manner.transport);
      const generic = manner.transport ?? (await nameOf(common.transport, context));
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
