/** RCPT: one recipient more (RFC 5321 §4.1.1.3; Exim spec 44.10). */

import type { AclRecipient } from '../../acl/acl.ts';
import { lower, trim } from '../../lib/octets.ts';
import { parseAddress, splitAddress } from '../../mail/address.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { addressOptions } from '../address-options.ts';
import { rewriteTools } from '../arrival.ts';
import { rewriteSmtp } from '../rewrite.ts';
import { consent, refusal } from './acl-reply.ts';
import { remarkOf } from './mail-command.ts';
import type { Reception, Transaction } from './reception.ts';
import { slowDown } from './slow-down.ts';

export async function rcpt(argument: string, reception: Reception): Promise<Reply> {
  const { runtime, context, transaction } = reception;
  if (transaction === undefined) return { code: '503', text: 'sender not yet given', mistake: 'protocol' };
  const { main } = runtime.config;
  await slowDown('rcpt', reception);
  const text = await rewriteSmtp(trim(argument), 'envelope recipient', rewriteTools(runtime, undefined), context);
  const parsed = parseAddress(text, addressOptions(runtime.config));
  if ('error' in parsed) {
    return { code: '501', text: `${trim(argument)}: ${parsed.error}`, mistake: 'syntax', logged: parsed.error };
  }
  let recipient = parsed.address;
  if (parsed.domain === undefined) {
    if (!reception.mayLackDomain.recipient && lower(recipient) !== 'postmaster') {
      reception.logUnqualified('recipient', recipient);
      return { code: '501', text: `${trim(argument)}: recipient address must contain a domain` };
    }
    recipient = `${recipient}@${runtime.settings.qualifyRecipient}`;
  }
  transaction.attempts++;
  if (main.recipients_max > 0 && transaction.attempts > main.recipients_max) return tooMany(transaction, reception);
  return examine(recipient, transaction, reception);
}

function tooMany(transaction: Transaction, { runtime, fields, client }: Reception): Reply {
  const isFinal = runtime.config.main.recipients_max_reject;
  if (!transaction.toldOfTooMany && !client.isBatch) {
    const fate = isFinal ? 'message rejected' : 'excess temporarily rejected';
    runtime.logs.reject(`too many recipients: ${fate}: sender=<${transaction.sender}>${fields}`);
    transaction.toldOfTooMany = true;
  }
  if (!isFinal) return { code: '452', text: 'too many recipients' };
  transaction.recipients.length = 0;
  transaction.hasTooMany = true;
  return { code: '552', text: 'too many recipients' };
}

async function examine(recipient: string, transaction: Transaction, reception: Reception): Promise<Reply> {
  const { context, acls, client, runtime } = reception;
  const { message } = context;
  if (message) message.rcptCount = transaction.attempts;
  const { discardedBy } = transaction;
  if (discardedBy !== undefined) {
    logDiscarded(recipient, discardedBy.phase, discardedBy.remark, transaction, reception);
    return { code: '250', text: 'Accepted' };
  }
  const { localPart, domain } = splitAddress(recipient);
  const subject: AclRecipient = { address: recipient, localPart, domain };
  const option = runtime.config.main.acl_smtp_rcpt;
  const result = client.isBatch ? undefined : await acls.run('RCPT', option, subject);
  if (result === undefined && (client.isBatch || isOptional(reception))) {
    return take(recipient, { code: '250', text: 'Accepted' }, transaction, reception);
  }
  if (result?.outcome === 'accept') {
    return take(recipient, consent(result, '250', 'Accepted', reception), transaction, reception);
  }
  if (result?.outcome === 'discard') {
    logDiscarded(recipient, 'RCPT', remarkOf(result.logMessage), transaction, reception);
    return { code: '250', text: 'Accepted' };
  }
  const temporary = result?.outcome === 'defer' || result?.outcome === 'error';
  if (temporary) transaction.postponed++;
  else transaction.refused++;
  if (message) Object.assign(message, { rcptDeferCount: transaction.postponed, rcptFailCount: transaction.refused });
  return refusal(result ?? acls.denial(), 'RCPT', `RCPT <${recipient}>`, reception);
}

/** Without an ACL nobody from outside may send (Exim spec 44.3); a local process may. */
function isOptional({ client, runtime }: Reception): boolean {
  return client.caller !== undefined && runtime.config.main.acl_smtp_rcpt === undefined;
}

function take(recipient: string, reply: Reply, transaction: Transaction, { context }: Reception): Reply {
  transaction.recipients.push(recipient);
  if (context.message) context.message.recipientsCount = transaction.recipients.length;
  return reply;
}

function logDiscarded(
  recipient: string,
  phase: string,
  remark: string,
  { sender }: Transaction,
  { runtime, hostText }: Reception,
): void {
  const line = `${hostText}F=<${sender}> RCPT <${recipient}>: discarded by ${phase} ACL${remark}`;
  runtime.logs.write(['main', 'reject'], line);
}
