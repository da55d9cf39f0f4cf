/** The iplookup router asks a server on the network for another address (Exim spec 19). */

import type { Context } from '../expand/context.ts';
import { compileTemplate, type Template } from '../expand/expand.ts';
import { trim } from '../lib/octets.ts';
import { RegexLimit, RegexSyntaxError, regex } from '../lib/regex.ts';
import { parseAddress } from '../mail/address.ts';
import { askOnce } from '../net/ask-once.ts';
import type { OptionsOf } from '../options/table.ts';
import { Text } from '../safe/taint.ts';
import { iplookupOptions } from './iplookup-options.ts';
import { defineRouter, type RouterOutcome, type RouterServices } from './router.ts';

type Options = OptionsOf<typeof iplookupOptions>;

const standardQuery = (): Template => compileTemplate('$local_part@$domain $local_part@$domain');

const defer = (message: string): RouterOutcome => ({ outcome: 'defer', message });

type Expanded = { readonly text: string } | RouterOutcome;

async function expanded(template: Template, router: string, context: Context): Promise<Expanded> {
  const expansion = await template.expand(context);
  if (expansion.ok) return { text: expansion.text.value };
  return defer(`${router} router: failed to expand ${template.source}: ${expansion.message}`);
}

/** Asks one address of one host after the other until something comes back. */
async function ask(
  options: Options,
  text: string,
  context: Context,
  services: RouterServices,
): Promise<string | undefined> {
  const { port, timeout } = options;
  const protocol = protocolOf(options) ?? 'udp';
  for (const host of options.hosts?.items ?? []) {
    const found = await services.lookUpHost(host, { by: 'name', ipv4Only: false, ipv4Prefer: false }, context);
    if (found.outcome !== 'found') continue;
    for (const address of found.addresses) {
      const answer = await askOnce({ protocol, address, port, text, timeout });
      if (answer !== undefined) return answer;
    }
  }
  return undefined;
}

function protocolOf({ protocol }: Options): 'udp' | 'tcp' | undefined {
  return protocol === undefined || protocol === 'udp' ? 'udp' : protocol === 'tcp' ? 'tcp' : undefined;
}

/**
 * What there is of an answer: with a pattern what that matched and its parts, else the first word; nothing when it is no
 * answer to this question.
 */
function parts(answer: string, options: Options, query: string): readonly string[] | undefined {
  if (options.response_pattern !== undefined) {
    return regex(options.response_pattern)
      .match(answer)
      ?.groups.map((group) => group ?? '');
  }
  const [, word = '', rest = ''] = /^([^ \t-\r]*)[ \t-\r]*(.*)$/s.exec(answer) ?? [];
  if (options.query !== undefined) return [word];
  // the question has the address twice; behind its first word the answer must repeat it
  const asked = query.slice(query.indexOf(' ') + 1);
  return rest === asked || rest.startsWith(`${asked} `) ? [word] : undefined;
}

export const iplookup = defineRouter({
  name: 'iplookup',
  summary: 'asks a server on the network for another address',
  options: iplookupOptions,
  transport: 'forbidden',
  check(options) {
    if (options.port === 0) return 'a port must be specified';
    if (options.hosts === undefined) return 'a host list must be specified';
    if (protocolOf(options) === undefined) return 'protocol not specified as udp or tcp';
    const { response_pattern: pattern } = options;
    try {
      if (pattern !== undefined) regex(pattern);
    } catch (error) {
      if (!(error instanceof RegexSyntaxError)) throw error;
      return `regular expression error: ${error.message} at offset ${error.offset} while compiling ${pattern}`;
    }
    return undefined;
  },
  make(options) {
    return async (_, context, services) => {
      const router = context.address?.routerName ?? '';
      const query = await expanded(options.query ?? standardQuery(), router, context);
      if ('outcome' in query) return query;
      const answer = await ask(options, query.text, context, services);
      if (answer === undefined) {
        return options.optional ? { outcome: 'pass' } : defer(`${router} router: failed to communicate with any host`);
      }
      let found: readonly string[] | undefined;
      try {
        found = parts(answer, options, query.text);
      } catch (error) {
        if (!(error instanceof RegexLimit)) throw error;
        return defer(`${router} router: response_pattern could not be matched: ${error.message}`);
      }
      if (found === undefined) return { outcome: 'decline' };
      let [text = ''] = found;
      if (options.reroute !== undefined) {
        context.results.numeric = found.map(Text.tainted);
        const rerouted = await expanded(options.reroute, router, context);
        if ('outcome' in rerouted) return rerouted;
        text = trim(rerouted.text);
      }
      const parsed = parseAddress(text, { allowDomainLiterals: services.allowDomainLiterals });
      if ('error' in parsed || parsed.domain === undefined) {
        const told = `${router} router: reroute string ${text} is not of the form user@domain`;
        services.log(told);
        return defer(told);
      }
      const child = { kind: 'address', text: parsed.address, clean: false } as const;
      return { outcome: 'redirect', children: [child], rewrite: false, hidden: false, oneTime: false };
    };
  },
});
