/** What becomes of an address when a router has answered: deliveries, children, failures (Exim spec 3.9 - 3.11, 15). */

import type { AddressFacts, Context } from '../expand/context.ts';
import { expandText, type Template } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { trim } from '../lib/octets.ts';
import { readSwitch } from '../routers/preconditions.ts';
import { type Child, type Host, type RouterInstance, type RouterOutcome, redirectionCodes } from '../routers/router.ts';
import { type RouterRights, rightsOfRouter } from '../routers/router-rights.ts';
import { Text } from '../safe/taint.ts';
import type { User } from '../safe/users.ts';
import type { TransportInstance } from '../transports/transport.ts';
import { childAddress, type Inherited, type RouteAddress } from './address.ts';
import {
  type Delivery,
  type Failed,
  failure,
  type RefusedTarget,
  type RouteRules,
  type Routing,
  type Step,
  unrouted,
} from './routing.ts';
import { translatedHosts } from './translate-hosts.ts';

/** Everything that is known when the router has answered. */
export interface Answered {
  readonly address: RouteAddress;
  readonly index: number;
  readonly router: RouterInstance;
  readonly facts: AddressFacts;
  readonly user: User | undefined;
  readonly context: Context;
  readonly rules: RouteRules;
}

/** With user and group of the router for its deliveries. */
interface AnsweredWithRights extends Answered {
  readonly rights: RouterRights;
}

const noRights: RouterRights = { user: undefined, group: undefined };

const isTarget = ({ kind }: Child): boolean => kind !== 'address';

/** The router's user and group; or the failure to find them out. */
async function rightsIn({ address, router, context, rules }: Answered): Promise<RouterRights | (Routing & Failed)> {
  const rights = await rightsOfRouter(router.common, router.name, context);
  if (!('problem' in rights)) return rights;
  if (rights.panic) rules.services.panic(rights.problem);
  return failure('deferred', address, router, rights.problem);
}

export async function afterDecline(
  message: string | undefined,
  address: RouteAddress,
  router: RouterInstance,
  context: Context,
): Promise<Step> {
  const more = await readSwitch(router.common.more, 'more', true, context);
  if ('message' in more) return { outcome: 'done', routing: failure('deferred', address, router, more.message) };
  if (more.value) return { outcome: 'next', reason: `declined${message === undefined ? '' : `: ${message}`}`, message };
  return { outcome: 'done', routing: await unrouted(address, router, context, message) };
}

export async function conclude(outcome: RouterOutcome, answered: Answered): Promise<Step> {
  const { address, router, context } = answered;
  const done = (routing: Routing): Step => ({ outcome: 'done', routing });
  switch (outcome.outcome) {
    case 'decline':
      return afterDecline(outcome.message, address, router, context);
    case 'pass':
      return {
        outcome: 'jump',
        to: router.common.pass_router,
        selfHost: outcome.selfHost,
        message: outcome.message,
      };
    case 'discard':
      return done({ outcome: 'discarded', router, by: outcome.by });
    case 'reroute':
      return done(reroute(outcome, answered));
    case 'defer':
      if (outcome.timeout && router.common.pass_on_timeout) {
        return { outcome: 'jump', to: router.common.pass_router, selfHost: undefined };
      }
      return done(await unhappy(outcome, answered));
    case 'fail':
      return done(await unhappy(outcome, answered));
    case 'accept':
    case 'redirect':
      return done(await taken(outcome, answered));
  }
}

function reroute(
  { domain, rewriteHeaders }: RouterOutcome & { readonly outcome: 'reroute' },
  { address, router }: Answered,
): Routing {
  const { localPart } = address;
  const child = childAddress(address, `${localPart}@${domain}`, { madeBy: router.name, from: 0 });
  return {
    outcome: 'replaced',
    children: [child],
    deliveries: [],
    refused: [],
    copy: undefined,
    router,
    rewrite: false,
    renamed: rewriteHeaders ? { from: address.domain, to: domain } : undefined,
  };
}

async function unhappy(
  outcome: RouterOutcome & { readonly outcome: 'fail' | 'defer' },
  answered: Answered,
): Promise<Routing> {
  const { address, router } = answered;
  const manner = { hidden: false, oneTime: false };
  const inherited = router.common.errors_to === undefined ? address.inherited : await inheritedBy(answered);
  if ('defer' in inherited) return failure('deferred', address, router, inherited.defer);
  const rights = outcome.children?.some(isTarget) ? await rightsIn(answered) : noRights;
  if ('outcome' in rights) return rights;
  const made = await childrenOf(outcome.children ?? [], manner, { ...answered, rights }, address.inherited);
  const told = { ...address, inherited };
  return failure(outcome.outcome === 'fail' ? 'failed' : 'deferred', told, router, outcome.message, {
    publicMessage: 'publicMessage' in outcome ? outcome.publicMessage : undefined,
    freeze: outcome.outcome === 'defer' && outcome.freeze === true,
    smtpCode: outcome.smtpCode ?? false,
    ...made,
    ...('code' in outcome && outcome.code !== undefined ? { code: outcome.code } : {}),
  });
}

/** An address that a router accepted or replaced. */
async function taken(
  outcome: RouterOutcome & { readonly outcome: 'accept' | 'redirect' },
  answered: Answered,
): Promise<Routing> {
  const { address, index, router, context, rules } = answered;
  const verification = verificationFailure(answered);
  if (verification !== undefined) return verification;
  const inherited = await inheritedBy(answered);
  if ('defer' in inherited) return failure('deferred', address, router, inherited.defer);
  const unseen = await readSwitch(router.common.unseen, 'unseen', false, context);
  if ('message' in unseen) return failure('deferred', address, router, unseen.message);
  const hasNext = index + 1 < rules.routers.length;
  const copy = unseen.value && hasNext ? childAddress(address, address.address, { from: index + 1 }) : undefined;
  if (outcome.outcome === 'redirect') {
    const rights = outcome.children.some(isTarget) ? await rightsIn(answered) : noRights;
    if ('outcome' in rights) return rights;
    const parent = copy === undefined ? address : childAddress(address, address.address, {});
    const made = await childrenOf(outcome.children, outcome, { ...answered, address: parent, rights }, inherited);
    // as in Exim, an address that a filter did not see to goes on whatever `more` says
    const further = outcome.passesOn ? { ...address, from: index + 1 } : copy;
    return { outcome: 'replaced', ...made, copy: further, router, rewrite: outcome.rewrite };
  }
  const name = await transportName(outcome.transport, router, context);
  if ('defer' in name) {
    return failure('deferred', address, router, name.defer, { code: redirectionCodes.badTransport });
  }
  const verifying = rules.purpose === 'verify sender' || rules.purpose === 'verify recipient';
  if (name.name === undefined && verifying) {
    return { outcome: 'discarded', router, hosts: outcome.hosts, facts: answered.facts };
  }
  if (name.name === undefined) {
    rules.services.log(`Error in ${router.name} router: no transport defined`);
    return failure('deferred', address, router, 'error in router: transport missing');
  }
  const transport = rules.transports.get(name.name);
  if (transport === undefined) {
    const message = `transport "${name.name}" not found in ${router.name} router`;
    return failure('deferred', address, router, message, { code: redirectionCodes.badTransport });
  }
  const rights = transport.driver.isLocal || router.driver.name === 'accept' ? await rightsIn(answered) : noRights;
  if ('outcome' in rights) return rights;
  const hosts = await translatedHosts(outcome.hosts ?? [], router, context, rules.services);
  if ('defer' in hosts) return failure('deferred', address, router, hosts.defer);
  const own = copy === undefined ? address : childAddress(address, address.address, { unseenBy: router.name });
  return {
    outcome: 'delivered to',
    delivery: deliveryOf(own, transport, { hosts }, inherited, { ...answered, rights }),
    copy,
  };
}

function verificationFailure({ address, router, rules }: Answered): Routing | undefined {
  const { common } = router;
  const isSender = rules.purpose === 'verify sender';
  const fails =
    (isSender && common.fail_verify_sender) || (rules.purpose === 'verify recipient' && common.fail_verify_recipient);
  if (!fails) return undefined;
  // nobody is told of senders that are only forged names here
  const told = isSender ? { publicMessage: '' } : {};
  return failure('failed', address, router, `${router.name} router forced verify failure`, told);
}

function deliveryOf(
  address: RouteAddress,
  transport: TransportInstance,
  outcome: { readonly hosts?: readonly Host[] | undefined },
  inherited: Inherited,
  { router, facts, user, rights }: AnsweredWithRights,
  target?: Child,
): Delivery {
  return {
    address,
    router,
    transport,
    target,
    hosts: outcome.hosts ?? [],
    inherited,
    facts,
    user: rights.user,
    group: rights.group,
    localUser: user,
  };
}

async function transportName(
  chosen: string | undefined,
  { common, name }: RouterInstance,
  context: Context,
): Promise<{ readonly name: string | undefined } | { readonly defer: string }> {
  if (chosen !== undefined) return { name: chosen };
  if (common.transport === undefined) return { name: undefined };
  const expansion = await common.transport.expand(context);
  if (!expansion.ok) {
    return {
      defer: `failed to expand transport "${common.transport.source}" in ${name} router: ${expansion.message}`,
    };
  }
  if (!expansion.text.isClean) {
    return { defer: `attempt to use tainted value '${expansion.text.value}' for transport for ${name} router` };
  }
  return { name: expansion.text.value };
}

/** Addresses, files and pipes that a redirect router named. */
async function childrenOf(
  children: readonly Child[],
  { hidden, oneTime }: { readonly hidden: boolean; readonly oneTime: boolean },
  answered: AnsweredWithRights,
  inherited: Inherited,
): Promise<{
  readonly children: readonly RouteAddress[];
  readonly deliveries: readonly Delivery[];
  readonly refused: readonly RefusedTarget[];
}> {
  const { address, router, facts, rules } = answered;
  const from = firstRouter(router, rules);
  const addresses: RouteAddress[] = [];
  const deliveries: Delivery[] = [];
  const refused: RefusedTarget[] = [];
  for (const child of children) {
    const made = childAddress(address, child.text, {
      madeBy: router.name,
      from,
      hidden,
      oneTime,
      inherited: inheritedByChild(inherited, child),
    });
    if (child.refused !== undefined) {
      refused.push({ ...child.refused, address: made, target: child, router });
    } else if (child.kind === 'address') {
      addresses.push(made);
    } else {
      const transport = rules.transports.get(child.transport ?? '');
      if (transport === undefined) continue;
      const text = child.clean ? Text.vouched(child.text) : Text.tainted(child.text);
      const named = child.kind === 'pipe' ? { addressPipe: text } : child.kind === 'file' ? { addressFile: text } : {};
      const seen = { ...facts, ...named };
      deliveries.push(deliveryOf(made, transport, {}, made.inherited, { ...answered, facts: seen }, child));
    }
  }
  return { children: addresses, deliveries, refused };
}

/** What a filter says of one of its children comes before what its router says. */
function inheritedByChild(inherited: Inherited, { errorsTo, noError }: Child): Inherited {
  if (errorsTo === undefined && noError !== true) return inherited;
  return {
    ...inherited,
    errorsTo: errorsTo ?? inherited.errorsTo,
    ignoresErrors: inherited.ignoresErrors || noError,
  };
}

function firstRouter({ common }: RouterInstance, { routers }: RouteRules): number {
  if (common.redirect_router === undefined) return 0;
  return Math.max(
    routers.findIndex(({ name }) => name === common.redirect_router),
    0,
  );
}

/** What the address hands on: errors_to, headers_add, headers_remove, address_data and variables. */
async function inheritedBy(answered: Answered): Promise<Inherited | { readonly defer: string }> {
  const { address, router, facts, context } = answered;
  const { common } = router;
  let { errorsTo } = address.inherited;
  if (common.errors_to !== undefined) {
    const found = await expandedErrorsTo(common.errors_to, answered);
    if ('defer' in found) return found;
    errorsTo = found.address ?? errorsTo;
  }
  const add = await expandedList(common.headers_add, '\n', 'add', router, context);
  if ('defer' in add) return add;
  const remove = await expandedList(common.headers_remove, ':', 'remove', router, context);
  if ('defer' in remove) return remove;
  return {
    errorsTo,
    ignoresErrors: address.inherited.ignoresErrors,
    headersAdd: [...address.inherited.headersAdd, ...add.items],
    headersRemove: [...address.inherited.headersRemove, ...remove.items],
    addressData: facts.addressData,
    routerVariables: facts.routerVariables,
  };
}

async function expandedErrorsTo(
  template: Template,
  { router, context, rules }: Answered,
): Promise<{ readonly address: string | undefined } | { readonly defer: string }> {
  const expansion = await template.expand(context);
  if (!expansion.ok) {
    if (expansion.kind === 'forced') return { address: undefined };
    return { defer: `${router.name} router failed to expand "${template.source}": ${expansion.message}` };
  }
  const found = trim(expansion.text.value);
  if (found === '' || found === '<>') return { address: '' };
  const isGood = rules.verifyErrorsTo === undefined || (await rules.verifyErrorsTo(found));
  return { address: isGood ? found : undefined };
}

/** Items of headers_add or headers_remove, each expanded; one that is forced to fail is left out. */
async function expandedList(
  template: Template | undefined,
  separator: string,
  option: string,
  router: RouterInstance,
  context: Context,
): Promise<{ readonly items: readonly string[] } | { readonly defer: string }> {
  if (template === undefined) return { items: [] };
  const items: string[] = [];
  for (const source of splitList(template.source, separator).items) {
    const expansion = await expandText(Text.configured(source), context);
    if (expansion.ok) {
      if (expansion.text.value !== '') items.push(expansion.text.value);
    } else if (expansion.kind !== 'forced') {
      return {
        defer: `${router.name} router failed to expand ${option}_headers item "${source}": ${expansion.message}`,
      };
    }
  }
  return { items };
}
