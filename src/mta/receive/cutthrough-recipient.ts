/**
 * `control = cutthrough_delivery` at RCPT (Exim spec 44.22): a recipient that the ACL has accepted is named to the host that
 * is to have the message, which may refuse him. The transaction stays open for the recipients that follow, and for DATA.
 *
 * After the first recipient that the host does not take, the message is delivered in the ordinary way.
 */

import type { AclResult } from '../../acl/acl.ts';
import type { Reception, Transaction } from './reception.ts';

/** What the client is told in place of what the ACL said; nothing when the recipient is accepted. */
export async function beginDelivery(
  recipient: string,
  transaction: Transaction,
  { acls, client, context }: Reception,
): Promise<AclResult | undefined> {
  const { requests, delivering } = acls;
  const { controls } = requests;
  const { cutthrough, freeze, queueOnly } = controls;
  if (cutthrough === undefined || client.isTest || client.isBatch) return undefined;
  if (transaction.prdr || freeze || queueOnly) return undefined;
  const held = delivering.heldRecipients;
  const accepted = transaction.recipients.length;
  // a callout of the ACL has named him
  if (held === accepted + 1) return undefined;
  if (held > 0 && held !== accepted) {
    // the host was told of somebody whom the ACL has refused then
    delivering.release();
    controls.cutthrough = undefined;
    return undefined;
  }
  const unbegun = await delivering.begin(recipient, context.message?.size ?? 0, controls);
  if (unbegun === undefined) return undefined;
  delivering.release();
  controls.cutthrough = undefined;
  if (unbegun.outcome === 'fail') return acls.denial();
  if (!cutthrough.passesDefers) return undefined;
  const { response = '' } = unbegun;
  const userMessage = response === '' || response.includes('\n') ? undefined : response;
  return { ...acls.denial(), outcome: 'defer', userMessage, smtpCode: true };
}
