/**
 * One address through the routers (Exim spec 3.8 - 3.12, 15): what becomes of it, and nothing else. Who routes for
 * delivery, verifies or tests tells so by the purpose; the record of decisions gets each router and its answer.
 */

import type { AddressFacts, Context } from '../expand/context.ts';
import { expandText } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { lower } from '../lib/octets.ts';
import { removeAffixes } from '../routers/affixes.ts';
import { type Candidacy, checkPreconditions } from '../routers/preconditions.ts';
import type { RouterInstance } from '../routers/router.ts';
import { Text } from '../safe/taint.ts';
import { addressKey, ancestorsOf, factsOf, type RouteAddress } from './address.ts';
import { withoutPercent } from './percent-hack.ts';
import { afterDecline, conclude } from './route-outcome.ts';
import { failure, type RouteRules, type Routing, type Step, unrouted } from './routing.ts';

const maximumAncestors = 100;

/** The facts of the address for one router, with its affixes taken off; or why the router is skipped. */
function factsFor(address: RouteAddress, { common, name }: RouterInstance): AddressFacts | { readonly skip: string } {
  const localPart = common.caseful_local_part ? address.localPart : lower(address.localPart);
  const facts = { ...factsOf(address), routerName: name, localPart };
  const { local_part_prefix: prefixes, local_part_suffix: suffixes } = common;
  if (prefixes === undefined && suffixes === undefined) return facts;
  const bare = removeAffixes(localPart, {
    prefixes: prefixes?.items,
    prefixOptional: common.local_part_prefix_optional,
    suffixes: suffixes?.items,
    suffixOptional: common.local_part_suffix_optional,
  });
  if ('skip' in bare) return bare;
  facts.localPart = bare.localPart;
  facts.localPartPrefix = Text.tainted(bare.prefix.text);
  facts.localPartPrefixVariable = Text.tainted(bare.prefix.variable);
  facts.localPartSuffix = Text.tainted(bare.suffix.text);
  facts.localPartSuffixVariable = Text.tainted(bare.suffix.variable);
  return facts;
}

/** Why a router must not see an address that it, or an ancestor of the same name, has had already. */
function loopReason(address: RouteAddress, router: RouterInstance): string | undefined {
  const keyFor = (of: RouteAddress): string =>
    router.common.caseful_local_part ? addressKey(of) : lower(addressKey(of));
  const key = keyFor(address);
  for (let each: RouteAddress | undefined = address; each?.parent !== undefined; each = each.parent) {
    if (each.madeBy !== router.name) continue;
    if (router.options['repeat_use'] === false) return 'an ancestor was routed by it, and repeat_use is unset';
    if (keyFor(each.parent) === key) return 'an ancestor with the same address was routed by it';
  }
  return undefined;
}

export async function route(address: RouteAddress, context: Context, rules: RouteRules): Promise<Routing> {
  const { decisions } = context;
  const earlier = context.address;
  if (decisions.listening) decisions.begin('route', `address ${address.address}`);
  let routing: Routing | undefined;
  try {
    const meant = await withoutPercent(address, rules.services.percentHackDomains, context);
    routing =
      'defer' in meant ? failure('deferred', address, undefined, meant.defer) : await routeFrom(meant, context, rules);
    return routing;
  } finally {
    context.address = earlier;
    if (decisions.listening) decisions.end(routing?.outcome ?? 'error', describe(routing));
  }
}

function describe(routing: Routing | undefined): string {
  switch (routing?.outcome) {
    case 'delivered to':
      return routing.delivery.transport.name;
    case 'replaced':
      return [
        ...routing.children.map(({ address }) => address),
        ...routing.deliveries.map(({ target }) => target?.text ?? ''),
      ].join(', ');
    case 'failed':
    case 'deferred':
      return routing.message;
    default:
      return '';
  }
}

async function routeFrom(start: RouteAddress, context: Context, rules: RouteRules): Promise<Routing> {
  const { routers } = rules;
  let address = start;
  let last: RouterInstance | undefined;
  let why: string | undefined;
  if (ancestorsOf(address).length > maximumAncestors) {
    return failure('deferred', address, undefined, 'the address comes out of too many others: a loop?');
  }
  for (let i = address.from; i < routers.length; i++) {
    const router = routers[i];
    if (router === undefined) break;
    last = router;
    const step = await tryRouter(address, i, router, context, rules);
    if (step.outcome === 'done') return named(step.routing, context);
    why = step.message ?? why;
    if (step.outcome === 'jump') {
      if (step.selfHost !== undefined) address = { ...address, selfHostname: step.selfHost };
      if (step.to !== undefined) i = routers.findIndex(({ name }) => name === step.to) - 1;
    }
  }
  return unrouted(address, last, context, why);
}

/** A failure tells the address as the router saw it. */
function named(routing: Routing, { address }: Context): Routing {
  const failed = routing.outcome === 'failed' || routing.outcome === 'deferred';
  if (!failed || address === undefined) return routing;
  return { ...routing, shown: `${address.localPart}@${address.domain}` };
}

async function tryRouter(
  address: RouteAddress,
  index: number,
  router: RouterInstance,
  context: Context,
  rules: RouteRules,
): Promise<Step> {
  const { decisions } = context;
  if (decisions.listening) decisions.begin('route', `router ${router.name}`);
  const step = await considerRouter(address, index, router, context, rules);
  if (decisions.listening) {
    if (step.outcome === 'next') {
      // a router that looked at the address and did not want it is another thing than one that never saw it
      const declined = /^declined(?:: )?(.*)$/s.exec(step.reason)?.[1];
      decisions.end(declined === undefined ? 'skipped' : 'declined', declined ?? step.reason);
    } else if (step.outcome === 'jump') decisions.end('pass', step.to);
    else decisions.end(step.routing.outcome, describe(step.routing));
  }
  return step;
}

async function considerRouter(
  address: RouteAddress,
  index: number,
  router: RouterInstance,
  context: Context,
  rules: RouteRules,
): Promise<Step> {
  const looping = loopReason(address, router);
  if (looping !== undefined) return { outcome: 'next', reason: looping };
  const facts = factsFor(address, router);
  if ('skip' in facts) return { outcome: 'next', reason: facts.skip };
  context.address = facts;
  const candidacy: Candidacy = {
    router,
    purpose: rules.purpose,
    debugPrint: rules.debugPrint,
    context,
    services: rules.services,
    facts,
    user: undefined,
  };
  const verdict = await checkPreconditions(candidacy);
  if (verdict.outcome === 'skip') return { outcome: 'next', reason: verdict.reason };
  const done = (routing: Routing): Step => ({ outcome: 'done', routing });
  if (verdict.outcome === 'defer') return done(failure('deferred', address, router, verdict.message));
  const prepared = await expandVariables(router, facts, context);
  if ('decline' in prepared) {
    // the record says why; who asks for the address is told no more than that it cannot be routed
    const step = await afterDecline(undefined, address, router, context);
    return step.outcome === 'next' ? { ...step, reason: `declined: ${prepared.decline}` } : step;
  }
  if ('defer' in prepared) return done(failure('deferred', address, router, prepared.defer));
  const outcome = await router.route(
    {
      localPart: facts.localPart,
      domain: facts.domain,
      address: address.address,
      ancestors: ancestorsOf(address).map((ancestor) => ancestor.address),
      user: candidacy.user,
      purpose: rules.purpose,
    },
    context,
    rules.services,
  );
  return conclude(outcome, { address, index, router, facts, user: candidacy.user, context, rules });
}

/** `address_data` and `set`, before the router runs (Exim spec 15). */
async function expandVariables(
  { common, name }: RouterInstance,
  facts: AddressFacts,
  context: Context,
): Promise<{ readonly decline: string } | { readonly defer: string } | { readonly ready: true }> {
  if (common.address_data !== undefined) {
    const expansion = await common.address_data.expand(context);
    if (!expansion.ok) {
      if (expansion.kind === 'forced') return { decline: 'address_data was forced to fail' };
      return { defer: `expansion of "${common.address_data.source}" failed in ${name} router: ${expansion.message}` };
    }
    facts.addressData = expansion.text;
  }
  if (common.set === undefined) return { ready: true };
  for (const item of splitList(common.set.source, ';').items) {
    const [, written = '', source = ''] = /^[ \t]*([^=]*?)[ \t]*(?:=[ \t]*(.*))?$/s.exec(item) ?? [];
    const [variable] = /^r_[A-Za-z0-9_]+/.exec(written) ?? [];
    if (variable === undefined) {
      if (item === '') continue;
      return { defer: `bad router variable name '${written}' in router '${name}'` };
    }
    const expansion = await expandText(Text.configured(source), context);
    if (!expansion.ok) {
      if (expansion.kind === 'forced') return { decline: `the setting of ${variable} was forced to fail` };
      return { defer: `expansion of "${source}" failed in ${name} router: ${expansion.message}` };
    }
    if (variable === written) facts.routerVariables.set(variable, expansion.text);
  }
  return { ready: true };
}
