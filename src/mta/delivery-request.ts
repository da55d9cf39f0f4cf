/** What every delivery needs, by whatever transport: addresses, return path, size limit (Exim spec 24). */

import type { Context, DeliveryFacts } from '../expand/context.ts';
import type { Template } from '../expand/expand.ts';
import { trim } from '../lib/octets.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import { Text } from '../safe/taint.ts';
import { type DeliveryAddress, type DeliveryResult, deferred, errorCodes } from '../transports/transport.ts';
import { topOf } from './address.ts';
import type { Delivery } from './routing.ts';

/** Addresses that go out together; the first stands for all where only one can. */
export type Batch = readonly [Delivery, ...Delivery[]];

export const deliveryFacts = (
  delivery: Delivery,
  returnPath: string,
  tools: { readonly firstDelivery: boolean; readonly queueRunning: boolean },
): DeliveryFacts => ({
  transportName: delivery.transport.name,
  returnPath,
  host: delivery.hosts[0]?.name ?? '',
  hostAddress: delivery.hosts[0]?.address ?? '',
  hostPort: delivery.hosts[0] === undefined ? 0 : (delivery.hosts[0].port ?? -1),
  inode: 0,
  pipeAddresses: [],
  firstDelivery: tools.firstDelivery,
  queueRunning: tools.queueRunning,
});

/** The sender of the envelope for a delivery, before the transport's `return_path`. */
export function errorsAddress(delivery: Delivery, sender: string): string {
  return sender === '' ? '' : (delivery.inherited.errorsTo ?? sender);
}

/** The address as other programs and hosts are given it. */
export function recipientOf({ address, facts, transport, target }: Delivery): string {
  if (target !== undefined) return address.parent?.address ?? address.address;
  const { common } = transport;
  const bare = facts.localPartPrefix.value === '' && facts.localPartSuffix.value === '';
  if (common.rcpt_include_affixes || bare) return address.address;
  const start = facts.localPartPrefix.value.length;
  const at = address.address.lastIndexOf('@');
  const end = at - facts.localPartSuffix.value.length;
  return `${address.address.slice(start, end)}${address.address.slice(at)}`;
}

export function deliveryAddress(delivery: Delivery): DeliveryAddress {
  const { address, target, facts } = delivery;
  return {
    recipient: recipientOf(delivery),
    original: topOf(address).address,
    file: target?.kind === 'file' ? (facts.addressFile ?? Text.empty) : undefined,
    pipe: target?.kind === 'pipe' ? (facts.addressPipe ?? Text.empty) : undefined,
    pipeExpansion: target?.expand,
    mode: target?.mode,
    reply: target?.reply,
    domain: facts.domain,
  };
}

/** A string that was expanded, or why it could not be. */
export type Expanded = { readonly text: Text } | { readonly problem: string };

export async function expanded(template: Template, what: string, context: Context): Promise<Expanded> {
  const expansion = await template.expand(context);
  return expansion.ok
    ? { text: expansion.text }
    : { problem: `failed to expand ${what} "${template.source}": ${expansion.message}` };
}

/** `return_path` of the transport, and the size limit: what all transports are asked before anything else. */
export async function commonChecks(
  delivery: Delivery,
  context: Context,
  messageSize: number,
  panic: (line: string) => void,
): Promise<{ readonly returnPath: string | undefined } | DeliveryResult> {
  const { common, name, driver } = delivery.transport;
  if (common.message_size_limit !== undefined) {
    const limit = await common.message_size_limit.expand(context);
    if (!limit.ok) {
      return deferred(errorCodes.unknown, `failed to expand message_size_limit in ${name} transport: ${limit.message}`);
    }
    const octets = parseOptionInteger(trim(limit.text.value));
    if (octets === undefined) {
      const problem = `integer expected but "${limit.text.value}" found`;
      return deferred(errorCodes.unknown, `invalid message_size_limit in ${name} transport: ${problem}`);
    }
    if (octets > 0 && messageSize > octets) {
      return { outcome: 'failed', code: 0, message: `message is too big (transport limit = ${octets})` };
    }
  }
  if (common.return_path === undefined) return { returnPath: undefined };
  const expansion = await common.return_path.expand(context);
  if (expansion.ok) return { returnPath: expansion.text.value };
  if (expansion.kind === 'forced') return { returnPath: undefined };
  const what = `Failed to expand return path "${common.return_path.source}"`;
  if (!driver.isLocal) return deferred(errorCodes.unknown, `${what}: ${expansion.message}`, { panic: true });
  const problem = `${what} in ${name} transport: ${expansion.message}`;
  panic(problem);
  return deferred(errorCodes.expansion, problem);
}
