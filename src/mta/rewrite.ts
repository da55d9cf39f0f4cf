/** Rewriting of addresses by the rules of the configuration (Exim spec 31), and what is done to all header lines alike. */

import type { RewritePlace, RewriteRule } from '../config/rewrite-rules.ts';
import type { Context } from '../expand/context.ts';
import { lower } from '../lib/octets.ts';
import { matchTemplate } from '../lists/option.ts';
import { type AddressOptions, parseAddress, splitAddress } from '../mail/address.ts';
import { type Replacement, replaceAddresses } from '../mail/address-header.ts';
import { type HeaderLine, headerLine, headerName } from '../mail/header-line.ts';
import { Text } from '../safe/taint.ts';
import { factsOf, originalAddress } from './address.ts';

const maximumRepeats = 10;

/** Places as log lines name them. */
const placeNames: Readonly<Record<RewritePlace, string>> = {
  from: 'from:',
  to: 'to:',
  cc: 'cc:',
  bcc: 'bcc:',
  'reply-to': 'reply-to:',
  sender: 'sender:',
  'envelope sender': 'env-from',
  'envelope recipient': 'env-to',
};

/** The result of rewriting: the address, and the whole item when a rule with the flag w made it. */
export interface Rewritten {
  readonly address: string;
  readonly item: string | undefined;
}

export interface RewriteTools {
  readonly rules: readonly RewriteRule[];
  readonly qualifyRecipient: string;
  readonly parse: AddressOptions;
  /** Told of each change (log selector address_rewrite) and of each failure. */
  log(text: string): void;
  failed(text: string): void;
}

/** Applies the rules for a place to an address; the address itself when nothing changes it. */
export async function rewriteAddress(
  address: string,
  place: RewritePlace,
  tools: RewriteTools,
  context: Context,
): Promise<Rewritten> {
  let current: Rewritten = { address, item: undefined };
  for (const [index, rule] of tools.rules.entries()) {
    if (rule.smtp || !rule.places.has(place)) continue;
    const number = index + 1;
    for (let repeats = 0; ; repeats++) {
      const next = await applyRule(rule, number, current.address, place, tools, context);
      if (next === 'abandoned') return current;
      if (next === 'stop') return current;
      if (next === 'no match') break;
      const matched = next !== 'failed';
      if (matched) current = next;
      if (rule.last) return current;
      if (!matched || !rule.repeat) break;
      if (repeats >= maximumRepeats) {
        tools.failed(`rewrite rule repeat ignored after ${maximumRepeats} times`);
        break;
      }
    }
  }
  return current;
}

/** Rules with the flag S see the text of MAIL and RCPT before it is taken for an address (Exim spec 31.9). */
export async function rewriteSmtp(
  text: string,
  place: RewritePlace,
  tools: RewriteTools,
  context: Context,
): Promise<string> {
  let current = text;
  for (const [index, rule] of tools.rules.entries()) {
    if (!rule.smtp || rule.replacement === undefined) continue;
    const numeric = context.results.numeric;
    const options = { caseful: true, forRewriting: true, isText: true };
    const answer = await matchTemplate(rule.pattern, current, context, options);
    if (answer.outcome !== 'match') continue;
    context.results.numeric = [Text.tainted(current), ...(answer.numeric ?? []).slice(1)];
    const expansion = await rule.replacement.expand(context);
    context.results.numeric = numeric;
    if (!expansion.ok) {
      if (expansion.kind === 'forced') continue;
      tools.failed(`Expansion of ${rule.replacement.source} failed while rewriting: ${expansion.message}`);
      return text;
    }
    const parsed = parseAddress(expansion.text.value, { allowEmpty: true, allowDomainLiterals: true });
    if ('error' in parsed) {
      tools.failed(
        `Rewrite of ${current} yielded unparseable address: ${parsed.error} in address ${expansion.text.value}`,
      );
      return text;
    }
    const who = place === 'envelope sender' ? 'sender' : 'recipient';
    tools.log(`"${current}" from smtp ${who} rewritten as "${expansion.text.value}" by rule ${index + 1}`);
    current = expansion.text.value;
    if (rule.last) break;
  }
  return current;
}

async function applyRule(
  rule: RewriteRule,
  number: number,
  address: string,
  place: RewritePlace,
  tools: RewriteTools,
  context: Context,
): Promise<Rewritten | 'no match' | 'failed' | 'stop' | 'abandoned'> {
  const earlier = context.address;
  const numeric = context.results.numeric;
  try {
    context.address = { ...factsOf(originalAddress(address)), localPart: splitAddress(address).localPart };
    const answer = await matchTemplate(rule.pattern, address, context, { caseful: true, forRewriting: true });
    if (answer.outcome !== 'match') return 'no match';
    if (rule.replacement === undefined) return 'stop';
    context.results.numeric = [Text.tainted(address), ...(answer.numeric ?? []).slice(1)];
    const expansion = await rule.replacement.expand(context);
    if (!expansion.ok) {
      if (expansion.kind === 'forced') return 'failed';
      tools.failed(`Expansion of ${rule.replacement.source} failed while rewriting: ${expansion.message}`);
      return 'abandoned';
    }
    const made = finish(expansion.text.value, rule, tools);
    if ('error' in made) {
      const { value } = expansion.text;
      tools.failed(`Rewrite of ${address} yielded unparseable address: ${made.error} in address ${value}`);
      return 'abandoned';
    }
    if (made.address !== address) {
      tools.log(`"${address}" from ${placeNames[place]} rewritten as "${made.item ?? made.address}" by rule ${number}`);
    }
    return made;
  } finally {
    context.address = earlier;
    context.results.numeric = numeric;
  }
}

/** What a replacement came to, as an address; qualified when the rule lets it lack a domain. */
function finish(text: string, rule: RewriteRule, tools: RewriteTools): Rewritten | { readonly error: string } {
  const parsed = parseAddress(text, tools.parse);
  if ('error' in parsed) return parsed;
  if (parsed.domain === undefined && !rule.qualify) return { error: 'unqualified address' };
  const address = parsed.domain === undefined ? `${parsed.address}@${tools.qualifyRecipient}` : parsed.address;
  return { address, item: rule.whole ? text : undefined };
}

const headerPlaces: ReadonlyMap<string, RewritePlace> = new Map([
  ['from', 'from'],
  ['to', 'to'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['reply-to', 'reply-to'],
  ['sender', 'sender'],
]);

/** The place that addresses of a header line have, also of its Resent- form; nothing when it holds none. */
export function placeOf(line: string): RewritePlace | undefined {
  return headerPlaces.get(lower(headerName(line)).replace(/^resent-/, ''));
}

/** How unqualified addresses in header lines are completed; nothing leaves them alone. */
export interface HeaderQualification {
  readonly sender: string | undefined;
  readonly recipient: string | undefined;
}

/** Header lines with their addresses qualified and rewritten; a line that changed is kept, marked with `*`, before the new one. */
export async function rewriteHeaders(
  headers: readonly HeaderLine[],
  qualification: HeaderQualification,
  tools: RewriteTools,
  context: Context,
): Promise<HeaderLine[]> {
  const result: HeaderLine[] = [];
  for (const header of headers) {
    const place = header.type === '*' ? undefined : placeOf(header.text);
    const changed =
      place === undefined ? undefined : await rewriteHeader(header.text, place, qualification, tools, context);
    if (changed === undefined) result.push(header);
    else result.push({ type: '*', text: header.text }, headerLine(changed));
  }
  return result;
}

const senderPlaces: ReadonlySet<RewritePlace> = new Set<RewritePlace>(['from', 'sender', 'reply-to']);

async function rewriteHeader(
  line: string,
  place: RewritePlace,
  qualification: HeaderQualification,
  tools: RewriteTools,
  context: Context,
): Promise<string | undefined> {
  const domain = senderPlaces.has(place) ? qualification.sender : qualification.recipient;
  return replaceAddresses(line, tools.parse, async (found): Promise<Replacement | undefined> => {
    if (!found.qualified && domain === undefined) return undefined;
    const address = found.qualified ? found.address : `${found.address}@${domain}`;
    const rewritten = await rewriteAddress(address, place, tools, context);
    if (rewritten.item !== undefined) return { item: rewritten.item };
    return rewritten.address === found.address ? undefined : { address: rewritten.address };
  });
}
