/** `tabella explain`: how an address is routed and why, as a tree (the decision record in readable form). */

import type { Context } from '../expand/context.ts';
import { parseAddress } from '../mail/address.ts';
import { addressKey, originalAddress, type RouteAddress } from '../mta/address.ts';
import { addressOptions } from '../mta/address-options.ts';
import { placeOf } from '../mta/mailbox-of.ts';
import { route } from '../mta/route.ts';
import { routerServices } from '../mta/router-services.ts';
import type { Delivery, Routing } from '../mta/routing.ts';
import { DecisionTree, type Step, withDetail } from '../observe/decision.ts';
import type { AppendfileOptions } from '../transports/appendfile-target.ts';
import type { Call } from './call.ts';
import { testContext } from './test-context.ts';

/** Addresses that an explanation follows. */
const most = 1000;

/** The only key that a lookup tried is the one it was asked for: that says nothing new. */
function tellsNothingNew({ subject, steps }: Step, above: Step | undefined): boolean {
  return (
    above?.steps.length === 1 &&
    steps.length === 0 &&
    subject.startsWith('key ') &&
    above.subject.includes(subject.slice(4))
  );
}

function* lines(steps: readonly Step[], indent: string, above?: Step): Generator<string> {
  const shown = steps.filter((step) => !tellsNothingNew(step, above));
  for (const [index, step] of shown.entries()) {
    const isLast = index === shown.length - 1;
    const outcome = step.outcome === '' ? '' : `: ${withDetail(step.outcome, step.detail)}`;
    yield `${indent}${isLast ? '└─ ' : '├─ '}${step.subject}${outcome}`;
    yield* lines(step.steps, `${indent}${isLast ? '   ' : '│  '}`, step);
  }
}

/** Byte strings for the terminal: the lines of the tree are no ASCII. */
const octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Explains each address; 2 when one cannot be delivered, 1 when one cannot be told now, else 0. */
export async function explain(call: Call): Promise<number> {
  const { invocation, runtime, terminal } = call;
  const { config, settings } = runtime;
  let status = 0;
  if (invocation.arguments.length === 0) {
    terminal.error('usage: tabella explain [-C file] [-f sender] address...\n');
    return 64;
  }
  for (const text of invocation.arguments) {
    const parsed = parseAddress(text, addressOptions(config));
    if ('error' in parsed) {
      terminal.out(`${text}\n${octets('⇒')} this is no address: ${parsed.error}\n\n`);
      status = Math.max(status, 2);
      continue;
    }
    const start = parsed.domain === undefined ? `${parsed.address}@${settings.qualifyRecipient}` : parsed.address;
    status = Math.max(status, await explainOne(start, call));
  }
  return status;
}

async function explainOne(start: string, call: Call): Promise<number> {
  const { runtime, terminal } = call;
  const { config } = runtime;
  const waiting: RouteAddress[] = [originalAddress(start)];
  const explained = new Set<string>();
  let status = 0;
  for (let count = 0; count < most; count++) {
    const address = waiting.shift();
    if (address === undefined) break;
    const from = address.parent === undefined ? '' : ` (from ${address.parent.address})`;
    const key = `${addressKey(address)} ${address.from} ${ancestry(address)}`;
    if (explained.has(key)) {
      terminal.out(`${address.address}${from}\n${octets('⇒')} as above\n\n`);
      continue;
    }
    explained.add(key);
    const tree = new DecisionTree();
    const context = testContext({ ...call, decisions: tree });
    const routing = await route(address, context, {
      routers: config.routers,
      transports: config.transports,
      services: routerServices(runtime),
      purpose: 'test',
      debugPrint: undefined,
      verifyErrorsTo: undefined,
    });
    terminal.out(`${address.address}${from}\n`);
    const top = tree.steps.length === 1 && tree.steps[0] !== undefined ? tree.steps[0].steps : tree.steps;
    for (const line of lines(top, '')) terminal.out(`${octets(line)}\n`);
    if (tree.dropped > 0) terminal.out(`   (${tree.dropped} more steps)\n`);
    for await (const line of results(routing, context, call)) terminal.out(`${line}\n`);
    if (routing.outcome === 'failed') status = Math.max(status, 2);
    if (routing.outcome === 'deferred') status = Math.max(status, 1);
    if (routing.outcome === 'delivered to' && routing.copy !== undefined) waiting.push(routing.copy);
    if ('children' in routing) waiting.push(...routing.children);
    terminal.out('\n');
  }
  return status;
}

/** Routers look at the ancestors of an address: one that comes by another way may go another way. */
function ancestry(address: RouteAddress): string {
  const found: string[] = [];
  for (let each = address.parent; each !== undefined && found.length < 100; each = each.parent)
    found.push(addressKey(each));
  return found.join(' ');
}

/** What becomes of the address, and of the mail. */
async function* results(routing: Routing, context: Context, call: Call): AsyncGenerator<string> {
  const arrow = octets('⇒');
  switch (routing.outcome) {
    case 'delivered to': {
      const { router, transport, hosts } = routing.delivery;
      yield `${arrow} delivered by transport ${transport.name} (router ${router.name})`;
      for (const { name, address: ip, port } of hosts) {
        yield `   host ${name} [${ip}]${port === undefined ? '' : `:${port}`}`;
      }
      yield* placeLines(routing.delivery, context, call);
      break;
    }
    case 'replaced':
      for (const child of routing.children) yield `${arrow} becomes ${child.address}`;
      for (const delivery of routing.deliveries) {
        yield `${arrow} becomes ${delivery.target?.text ?? ''} (transport ${delivery.transport.name})`;
        yield* placeLines(delivery, context, call);
      }
      for (const { target, outcome, message } of routing.refused) {
        yield `${arrow} becomes ${target.text}, ${outcome}: ${message}`;
      }
      break;
    case 'discarded':
      yield `${arrow} discarded by router ${routing.router.name}`;
      break;
    default: {
      const { outcome, message, router } = routing;
      const nobody = outcome === 'failed' ? ' (no router takes it)' : '';
      yield `${arrow} ${outcome}: ${message}${router === undefined ? nobody : ` (router ${router.name})`}`;
    }
  }
}

/** Where a local delivery puts the mail, as whom, and how much may lie there. */
async function* placeLines(delivery: Delivery, context: Context, { runtime }: Call): AsyncGenerator<string> {
  if (delivery.transport.driver.name !== 'appendfile') return;
  const found = await placeOf(delivery, context, runtime);
  if (found.outcome !== 'found') {
    yield `   where to: ${found.message}`;
    return;
  }
  const { place, rights } = found;
  yield `   into the ${place.format === 'maildir' ? 'Maildir' : 'file'} ${place.path} as uid ${rights.uid}, gid ${rights.gid}`;
  const { quota } = delivery.transport.options as AppendfileOptions;
  const expansion = await quota?.expand(context);
  if (expansion?.ok === true) yield `   quota ${expansion.text.value}`;
}
