/**
 * `verify = recipient/quota` (Exim spec 44.45, 44.49): an address is routed, and the mailbox that it leads to is opened as
 * for a delivery, with the rights of its user. Whether it has room is remembered beside what callouts have learned.
 *
 * Only a mailbox that is full fails: one that cannot be opened is for the delivery to tell.
 */

import type { QuotaOptions, VerifyOptions, VerifyResult } from '../acl/verifier.ts';
import type { Context } from '../expand/context.ts';
import { noQueueId, reviewed, Text } from '../safe/taint.ts';
import { bodyInMemory } from '../spool/body.ts';
import { type DeliveryRequest, errorCodes } from '../transports/transport.ts';
import { incomplete } from './callout-texts.ts';
import { deliveryAddress, deliveryFacts, errorsAddress } from './delivery-request.ts';
import { directoriesOf, rightsOf } from './local-rights.ts';
import type { Delivery, RouteRules } from './routing.ts';
import type { Runtime } from './runtime.ts';
import type { LocalDeliveries } from './subprocess.ts';
import { verifyAddress } from './verify.ts';

export interface QuotaTools {
  readonly runtime: Runtime;
  readonly context: Context;
  readonly rules: Omit<RouteRules, 'purpose'>;
  readonly processes: LocalDeliveries;
}

export async function verifyQuota(
  address: string,
  { quota }: VerifyOptions & { readonly quota: QuotaOptions },
  tools: QuotaTools,
): Promise<VerifyResult> {
  const { callouts } = tools.runtime;
  const { smtp_return_error_details: withDetails } = tools.runtime.config.main;
  /** What does not succeed, and where. That it could not be told is never as good as a success. */
  const unsuccessful = (outcome: 'fail' | 'defer', failure: string, logMessage: string): VerifyResult => ({
    outcome,
    userMessage: withDetails ? `Rejected after RCPT: ${logMessage}` : undefined,
    logMessage,
    smtpCode: false,
    failure,
    problem: undefined,
    tolerated: false,
  });
  const remembers = quota.positive > 0 || quota.negative > 0;
  const known = remembers ? callouts.address(address, quota) : undefined;
  if (known !== undefined) {
    return known ? { outcome: 'ok' } : unsuccessful('fail', 'quota', 'Previous (cached) quota verification failure');
  }
  const context: Context = { ...tools.context };
  const verification = await verifyAddress(address, 'verify recipient', context, tools.rules);
  if (verification.outcome !== 'ok') {
    const { outcome, message } = verification;
    return unsuccessful(outcome, 'route', message);
  }
  const { delivery } = verification.route ?? {};
  // nobody is called about the mailboxes of another host
  if (delivery?.transport.worker.style === 'remote') {
    return unsuccessful('defer', '', incomplete('recipient'));
  }
  const isFull = delivery !== undefined && (await isMailboxFull(delivery, context, tools));
  if (remembers) callouts.noteAddress(address, !isFull, quota);
  return isFull ? unsuccessful('fail', 'quota', 'Over quota') : { outcome: 'ok' };
}

async function isMailboxFull(delivery: Delivery, context: Context, tools: QuotaTools): Promise<boolean> {
  const { runtime, processes } = tools;
  const { transport } = delivery;
  const { worker } = transport;
  if (worker.style !== 'local' || !worker.knowsQuota) return false;
  const returnPath = errorsAddress(delivery, context.message?.sender ?? '');
  context.address = delivery.facts;
  context.delivery = deliveryFacts(delivery, returnPath, { firstDelivery: false, queueRunning: false });
  const rights = await rightsOf(delivery, context, runtime);
  if ('problem' in rights) {
    runtime.logs.write(['main', 'panic'], rights.problem);
    return false;
  }
  const directories = await directoriesOf(delivery, rights, context);
  if ('problem' in directories) return false;
  const { home } = directories;
  context.address = { ...delivery.facts, home: home === undefined ? undefined : Text.vouched(home) };
  const content = { headers: '', body: bodyInMemory(Buffer.alloc(0)) };
  const request: DeliveryRequest = {
    transport: transport.name,
    common: transport.common,
    messageId: noQueueId,
    addresses: [deliveryAddress(delivery)],
    hosts: [],
    returnPath,
    content,
    context,
    ...directories,
    primaryHostname: reviewed(runtime.settings.primaryHostname, 'a setting of the configuration or of the system'),
    uid: rights.uid,
    gid: rights.gid,
    dialect: runtime.config.dialect,
    roomFor: context.message?.size || anySize,
  };
  const prepared = await worker.prepare(request);
  if ('outcome' in prepared) return false;
  const result = await processes.perform(worker, prepared.job, content, rights);
  return result.outcome === 'deferred' && result.code === errorCodes.quota;
}

/** What counts for a message whose size nobody has said: a mailbox at its limit has room for it. */
const anySize = -1;
