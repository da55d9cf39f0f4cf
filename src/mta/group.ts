/** Which deliveries go out together (Exim spec 25): for local transports a batch, for remote ones a set of hosts. */

import type { Template } from '../expand/expand.ts';
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

/** The expanded `batch_id` for an address; nothing when that failed, which is told then. */
export type ExpandBatchId = (delivery: Delivery, template: Template) => Promise<string | undefined>;

function batchTemplate({ transport }: Delivery): Template | undefined {
  const { batch_id: template } = transport.options;
  return typeof template === 'object' && template !== null && 'expand' in template ? (template as Template) : undefined;
}

export interface LocalBatch {
  readonly batch: Batch;
  readonly isLast: boolean;
}

/**
 * Batches for local transports, in the order of their first delivery, each made when the one before is done. Without
 * `batch_max` every delivery is its own.
 */
export async function* localBatches(
  deliveries: readonly Delivery[],
  sender: string,
  expand: ExpandBatchId,
): AsyncGenerator<LocalBatch> {
  const alike = new Map<string, Set<Delivery>>();
  const keys = new Map<Delivery, string>();
  for (const delivery of deliveries) {
    if (optionNumber(delivery, 'batch_max', 1) <= 1) continue;
    const key = localKey(delivery, sender);
    keys.set(delivery, key);
    const others = alike.get(key);
    if (others === undefined) alike.set(key, new Set([delivery]));
    else others.add(delivery);
  }
  const ids = new Map<Delivery, Promise<string | undefined>>();
  const idOf = (delivery: Delivery, template: Template): Promise<string | undefined> => {
    const known = ids.get(delivery) ?? expand(delivery, template);
    ids.set(delivery, known);
    return known;
  };
  const taken = new Set<Delivery>();
  for (const first of deliveries) {
    if (taken.has(first)) continue;
    const batch: [Delivery, ...Delivery[]] = [first];
    for await (const other of othersFor(first)) batch.push(other);
    for (const each of batch) taken.add(each);
    yield { batch, isLast: taken.size === deliveries.length };
  }

  /** Those that go with the first of a batch. */
  async function* othersFor(first: Delivery): AsyncGenerator<Delivery> {
    const others = alike.get(keys.get(first) ?? '');
    others?.delete(first);
    if (others === undefined || first === deliveries.at(-1)) return;
    const template = batchTemplate(first);
    const id = template && (await idOf(first, template));
    if (template !== undefined && id === undefined) return;
    let room = optionNumber(first, 'batch_max', 1) - 1;
    for (const other of others) {
      if (room === 0) return;
      if (template !== undefined && (await idOf(other, template)) !== id) continue;
      others.delete(other);
      room--;
      yield other;
    }
  }
}

/**
 * Sets for remote transports: the same transport, hosts, return path and header changes, and no more addresses than may
 * be sent one after the other while others go at the same time (Exim spec 14, remote_max_parallel; 30, max_rcpt).
 */
export function remoteGroups(deliveries: readonly Delivery[], sender: string, parallel: number): Batch[] {
  const groups = new Map<string, [Delivery, ...Delivery[]]>();
  for (const delivery of deliveries) {
    const hosts = delivery.hosts.map(({ name, address, port, mx }) => [name, address, port, mx]);
    const multi = delivery.transport.options['multi_domain'] !== false;
    const key = JSON.stringify([commonKey(delivery, sender), hosts, multi ? '' : delivery.facts.domain]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [delivery]);
    else group.push(delivery);
  }
  return [...groups.values()].flatMap((group) => divided(group, mostTogether(group[0], deliveries.length, parallel)));
}

/** How many addresses are a set, of all those that go to other hosts; without a limit they are not divided. */
function mostTogether(first: Delivery, all: number, parallel: number): number {
  const mostRecipients = optionNumber(first, 'max_rcpt', 100);
  if (mostRecipients <= 1) return mostRecipients === 1 ? 1 : Number.POSITIVE_INFINITY;
  const mostMessages = optionNumber(first, 'connection_max_messages', 500);
  const most = mostMessages > 0 ? mostRecipients * mostMessages : Number.POSITIVE_INFINITY;
  return Math.max(mostRecipients, Math.min(most, Math.floor(all / Math.max(parallel, 1))));
}

function divided(group: Batch, most: number): Batch[] {
  const sets: Batch[] = [];
  for (let [first, ...rest]: readonly Delivery[] = group; first !== undefined; [first, ...rest] = rest) {
    sets.push([first, ...rest.splice(0, most - 1)]);
  }
  return sets;
}
