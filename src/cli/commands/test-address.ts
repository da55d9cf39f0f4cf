/** `-bt`, `-bv` and `-bvs`: what the routers make of addresses (Exim spec 5.3). */

import type { Dialect } from '../../config/config.ts';
import type { Context } from '../../expand/context.ts';
import { trimEnd } from '../../lib/octets.ts';
import { addressItems, parseAddress } from '../../mail/address.ts';
import { addressKey, ancestorsOf, originalAddress, type RouteAddress } from '../../mta/address.ts';
import { route } from '../../mta/route.ts';
import { routerServices } from '../../mta/router-services.ts';
import type { Delivery, Failed, RefusedTarget, RouteRules } from '../../mta/routing.ts';
import { verifyAddress } from '../../mta/verify.ts';
import type { Child, RoutingPurpose } from '../../routers/router.ts';
import type { Command } from '../call.ts';
import { standardInputLines, type Terminal } from '../output.ts';
import { testContext } from '../test-context.ts';

interface AddressTest {
  readonly purpose: RoutingPurpose & ('test' | 'verify recipient' | 'verify sender');
  /** Show what every address turns into. */
  readonly full: boolean;
  /** Show why something failed. */
  readonly isAdmin: boolean;
  readonly qualifyRecipient: string;
  readonly qualifyDomain: string;
  /** `allow_utf8_domains` */
  readonly utf8Domain: boolean;
  readonly rules: Omit<RouteRules, 'purpose'>;
  /** With Exim 3 text, addresses are shown as Exim 3 showed them; some of the routers were directors there. */
  readonly dialect: Dialect;
  readonly directors: ReadonlySet<string>;
  /** A context of its own for each address. */
  newContext(): Context;
}

/** 2 when an address failed, 1 when one could not be decided, else 0. */
type Status = 0 | 1 | 2;

/** Tests the words, or lines of standard input when there are none. */
async function testAddresses(words: readonly string[], test: AddressTest, terminal: Terminal): Promise<number> {
  const seen = new Set<string>();
  let status: Status = 0;
  const one = async (text: string): Promise<void> => {
    status = Math.max(status, await testOne(text, test, seen, terminal)) as Status;
  };
  if (words.length > 0) {
    for (const word of words) for (const address of addressesIn(word)) await one(address);
    return status;
  }
  terminal.out('> ');
  for await (const line of standardInputLines()) {
    await one(trimEnd(line));
    terminal.out('> ');
  }
  terminal.out('\n');
  return status;
}

/** A word may be a list; one without an address is one that is none. */
function addressesIn(word: string): readonly string[] {
  const addresses = addressItems(word, false).map(({ start, end }) => word.slice(start, end));
  return addresses.length === 0 && word !== '' ? [''] : addresses;
}

async function testOne(text: string, test: AddressTest, seen: Set<string>, terminal: Terminal): Promise<Status> {
  // whether a domain literal is good is for the routers to say
  const parsed = parseAddress(text, { allowDomainLiterals: 'any', utf8Domain: test.utf8Domain });
  if ('error' in parsed) {
    terminal.out(`syntax error: ${parsed.error}\n`);
    return 2;
  }
  const domain = test.purpose === 'verify sender' ? test.qualifyDomain : test.qualifyRecipient;
  const address = parsed.domain === undefined ? `${parsed.address}@${domain}` : parsed.address;
  return test.full ? testFully(address, test, seen, terminal) : verifyOne(address, test, terminal);
}

async function verifyOne(address: string, test: AddressTest, terminal: Terminal): Promise<Status> {
  const result = await verifyAddress(address, test.purpose, test.newContext(), test.rules);
  if (result.outcome === 'ok') {
    terminal.out(`${address} verified\n`);
    return 0;
  }
  const reason = test.isAdmin ? `: ${result.message}` : '';
  const failed = result.outcome === 'fail';
  terminal.out(`${address} ${failed ? 'failed to verify' : 'cannot be resolved at this time'}${reason}\n`);
  return failed ? 2 : 1;
}

/** Follows all that the address turns into. Failures, files and commands are shown at once, deliveries at the end. */
async function testFully(start: string, test: AddressTest, seen: Set<string>, terminal: Terminal): Promise<Status> {
  const context = test.newContext();
  const waiting: RouteAddress[] = [originalAddress(start)];
  const local: Delivery[] = [];
  const remote: Delivery[] = [];
  let status: Status = 0;
  const fail = (failed: Failed, outcome: 'failed' | 'deferred'): void => {
    showFailure(failed, outcome, test, terminal);
    status = Math.max(status, outcome === 'failed' ? 2 : 1) as Status;
  };
  for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
    context.found.clear();
    const routing = await route(address, context, { ...test.rules, purpose: test.purpose });
    switch (routing.outcome) {
      case 'delivered to':
        (routing.delivery.transport.driver.isLocal ? local : remote).unshift(routing.delivery);
        if (routing.copy !== undefined) waiting.unshift(routing.copy);
        break;
      case 'replaced':
        waiting.unshift(...routing.children, ...(routing.copy === undefined ? [] : [routing.copy]));
        for (const delivery of routing.deliveries) showTarget(delivery, test, terminal);
        for (const refused of routing.refused) showRefused(refused, terminal);
        break;
      case 'discarded':
        terminal.out(`mail to ${address.address} is discarded\n`);
        break;
      default:
        fail(routing, routing.outcome);
        for (const delivery of routing.deliveries) showTarget(delivery, test, terminal);
        for (const refused of routing.refused) showRefused(refused, terminal);
        waiting.unshift(...routing.children);
    }
  }
  for (const delivery of [...local, ...remote]) showDelivery(delivery, test, seen, terminal);
  return status;
}

function parents(address: RouteAddress): string {
  return ancestorsOf(address)
    .map((ancestor) => `    <-- ${ancestor.address}\n`)
    .join('');
}

function showFailure(failed: Failed, outcome: 'failed' | 'deferred', test: AddressTest, terminal: Terminal): void {
  const { address, message } = failed;
  const how =
    outcome === 'deferred'
      ? 'cannot be resolved at this time'
      : test.purpose === 'test'
        ? 'is undeliverable'
        : 'failed to verify';
  terminal.out(`${address.address} ${how}${test.isAdmin ? `: ${message}` : ''}\n${parents(address)}`);
}

const targetName = ({ kind, text }: Child): string => (kind === 'reply' ? `mail ${text.slice(1)}` : text);

/** A file, directory or command that redirection named, or the letter of a filter. */
function showTarget({ address, target, transport }: Delivery, { dialect }: AddressTest, terminal: Terminal): void {
  const text = target === undefined ? '' : targetName(target);
  const parent = address.parent?.address ?? '';
  terminal.out(`${parent} -> ${text}\n${dialect === 3 ? '' : `  transport = ${transport.name}\n`}`);
}

/** One that nothing would be delivered to. */
function showRefused({ address, target, outcome, message }: RefusedTarget, terminal: Terminal): void {
  const how =
    outcome === 'failed' ? ' *** forbidden ***\n' : `\n*** Error in setting up pipe, file, or autoreply:\n${message}\n`;
  terminal.out(`${address.parent?.address ?? ''} -> ${targetName(target)}${how}`);
}

function showDelivery(delivery: Delivery, test: AddressTest, seen: Set<string>, terminal: Terminal): void {
  const { address, router, transport } = delivery;
  const key = addressKey(address);
  const mark = seen.has(key) ? '   [duplicate, would not be delivered]' : '';
  seen.add(key);
  const isDirector = test.directors.has(router.name);
  const local = `${delivery.facts.localPart} in domain ${delivery.facts.domain}`;
  const to = test.dialect === 3 ? `  deliver to ${isDirector ? local : address.address}\n` : '';
  terminal.out(`${address.address}${mark}\n${parents(address)}${to}`);
  terminal.out(`  ${isDirector ? 'director' : 'router'} = ${router.name}, transport = ${transport.name}\n`);
  terminal.out(hostLines(delivery).join(''));
}

function hostLines({ hosts, transport }: Delivery): string[] {
  if (transport.driver.isLocal && hosts.every(({ address }) => address === '')) {
    return hosts.map(({ name }) => `  host ${name}\n`);
  }
  const names = Math.max(...hosts.map(({ name }) => name.length));
  const shown = hosts.map(({ address }) => `[${address === '' ? 'unknown' : address}]`);
  const width = Math.max(...shown.map((text) => text.length));
  return hosts.map((host, i) => {
    const more = host.mx !== undefined || host.port !== undefined || host.address === '';
    const address = more ? (shown[i] ?? '').padEnd(width) : (shown[i] ?? '');
    const mx = host.mx === undefined ? '' : ` MX=${host.mx}`;
    const port = host.port === undefined ? '' : ` port=${host.port}`;
    const unusable = host.address === '' ? ' ** unusable **' : '';
    return `  host ${host.name.padEnd(names)} ${address}${mx}${port}${unusable}\n`;
  });
}

/** The command for one of the three options. */
export const addressTest =
  (purpose: AddressTest['purpose']): Command =>
  (call) => {
    const { invocation, runtime, caller, terminal } = call;
    const { config, settings } = runtime;
    return testAddresses(
      invocation.arguments,
      {
        purpose,
        full: purpose === 'test' || invocation.verbose,
        isAdmin: caller.isAdmin,
        qualifyRecipient: settings.qualifyRecipient,
        qualifyDomain: settings.qualifyDomain,
        utf8Domain: config.main.allow_utf8_domains,
        rules: {
          routers: config.routers,
          transports: config.transports,
          services: routerServices(runtime),
          debugPrint: invocation.verbose || purpose === 'test' ? terminal.error : undefined,
          verifyErrorsTo: undefined,
        },
        dialect: config.dialect,
        directors: config.directors,
        newContext: () => testContext(call),
      },
      terminal,
    );
  };
