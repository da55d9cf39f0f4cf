/** `tabella explain`: how an address is routed and why, as a tree (the decision record in readable form). */

import { parseAddress } from '../mail/address.ts';
import { originalAddress } from '../mta/address.ts';
import { route } from '../mta/route.ts';
import { routerServices } from '../mta/router-services.ts';
import { DecisionTree, type Step, withDetail } from '../observe/decision.ts';
import type { Call } from './call.ts';
import { testContext } from './test-context.ts';

/** Addresses that an explanation follows. */
const most = 1000;

function* lines(steps: readonly Step[], indent: string): Generator<string> {
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const outcome = step.outcome === '' ? '' : `: ${withDetail(step.outcome, step.detail)}`;
    yield `${indent}${isLast ? '└─ ' : '├─ '}${step.subject}${outcome}`;
    yield* lines(step.steps, `${indent}${isLast ? '   ' : '│  '}`);
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
    terminal.error('usage: tabella explain [-C file] [-f sender] address…\n');
    return 64;
  }
  for (const text of invocation.arguments) {
    const parsed = parseAddress(text, { allowDomainLiterals: config.main.allow_domain_literals });
    if ('error' in parsed) {
      terminal.out(`${text}: ${parsed.error}\n`);
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
  const waiting = [originalAddress(start)];
  let status = 0;
  for (let count = 0; count < most; count++) {
    const address = waiting.shift();
    if (address === undefined) break;
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
    terminal.out(`${address.address}\n`);
    const top = tree.steps.length === 1 && tree.steps[0] !== undefined ? tree.steps[0].steps : tree.steps;
    for (const line of lines(top, '')) terminal.out(`${octets(line)}\n`);
    switch (routing.outcome) {
      case 'delivered to': {
        const { router, transport, hosts } = routing.delivery;
        terminal.out(`${octets('⇒')} delivered by transport ${transport.name} (router ${router.name})\n`);
        for (const { name, address: ip, port } of hosts) {
          terminal.out(`   host ${name} [${ip}]${port === undefined ? '' : `:${port}`}\n`);
        }
        if (routing.copy !== undefined) waiting.push(routing.copy);
        break;
      }
      case 'replaced':
        for (const child of routing.children) terminal.out(`${octets('⇒')} becomes ${child.address}\n`);
        for (const { target, transport } of routing.deliveries) {
          terminal.out(`${octets('⇒')} becomes ${target?.text ?? ''} (transport ${transport.name})\n`);
        }
        for (const { target, outcome, message } of routing.refused) {
          terminal.out(`${octets('⇒')} becomes ${target.text}, ${outcome}: ${message}\n`);
        }
        waiting.push(...routing.children);
        break;
      case 'discarded':
        terminal.out(`${octets('⇒')} discarded by router ${routing.router.name}\n`);
        break;
      default:
        terminal.out(`${octets('⇒')} ${routing.outcome}: ${routing.message}\n`);
        status = Math.max(status, routing.outcome === 'failed' ? 2 : 1);
        waiting.push(...routing.children);
    }
    terminal.out('\n');
  }
  return status;
}
