/** Which deliveries go out together (Exim spec 25): for local transports a batch, for remote ones a set of hosts. */

import type { Batch } from './delivery-request.ts';
import { errorsAddress } from './delivery-request.ts';
import type { Delivery } from './routing.ts';

/** What two deliveries must have in common to be one. */
function commonKey(delivery: Delivery, sender: string): string {
  const { transport, inherited } = delivery;
  return JSON.stringify([
    transport.name,
    errorsAddress(delivery, sender),
    inherited.headersAdd,
    inherited.headersRemove,
  ]);
}

function optionNumber(delivery: Delivery, name: string, standard: number): number {
  const value = delivery.transport.options[name];
  return typeof value === 'number' ? value : standard;
}

/** Texts of the options that a local delivery expands. */
function sources(delivery: Delivery): string {
  const { options, common } = delivery.transport;
  const texts: string[] = [];
  for (const value of [...Object.values(options), ...Object.values(common)]) {
    if (typeof value === 'object' && value !== null && 'source' in value) texts.push(String(value.source));
  }
  return texts.join('\n');
}

/** The parts of the address that the transport's options speak of; deliveries that differ in them are separate. */
function localKey(delivery: Delivery, sender: string): string {
  const text = sources(delivery);
  const { facts, target, user, group, localUser } = delivery;
  const parts: unknown[] = [commonKey(delivery, sender), target?.text, localUser?.uid, user, group, facts.home?.value];
  if (/\$\{?(?:local_part|h_|address)/.test(text))
    parts.push(facts.localPart, facts.localPartPrefix.value, facts.localPartSuffix.value);
  if (/\$\{?domain/.test(text)) parts.push(facts.domain);
  return JSON.stringify(parts);
}

/** Batches for local transports, in the order of their first delivery. Without `batch_max` every delivery is its own. */
export function localBatches(deliveries: readonly Delivery[], sender: string): Batch[] {
  const batches: [Delivery, ...Delivery[]][] = [];
  const open = new Map<string, [Delivery, ...Delivery[]]>();
  for (const delivery of deliveries) {
    const most = optionNumber(delivery, 'batch_max', 1);
    const key = most > 1 ? localKey(delivery, sender) : undefined;
    const batch = key === undefined ? undefined : open.get(key);
    if (batch !== undefined && batch.length < most) {
      batch.push(delivery);
      continue;
    }
    const fresh: [Delivery, ...Delivery[]] = [delivery];
    batches.push(fresh);
    if (key !== undefined) open.set(key, fresh);
  }
  return batches;
}

/** Sets for remote transports: the same transport, hosts, return path and header changes. */
export function remoteGroups(deliveries: readonly Delivery[], sender: string): Batch[] {
  const groups = new Map<string, [Delivery, ...Delivery[]]>();
  for (const delivery of deliveries) {
    const hosts = delivery.hosts.map(({ name, address, port, mx }) => [name, address, port, mx]);
    const multi = delivery.transport.options['multi_domain'] !== false;
    const key = JSON.stringify([commonKey(delivery, sender), hosts, multi ? '' : delivery.facts.domain]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [delivery]);
    else group.push(delivery);
  }
  return [...groups.values()];
}
