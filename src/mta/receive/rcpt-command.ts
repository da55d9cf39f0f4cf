/** RCPT: one recipient more (RFC 5321 §4.1.1.3; Exim spec 44.10). */

import type { AclRecipient } from '../../acl/acl.ts';
import { lower, trim, upper } from '../../lib/octets.ts';
import { parseAddress, splitAddress } from '../../mail/address.ts';
import { notifyFlags } from '../../smtp/notification.ts';
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
  const split = splitParameters(trim(argument), reception.offers.dsn);
  if ('problem' in split) return { code: '501', text: split.problem, mistake: 'syntax' };
  const text = await rewriteSmtp(split.address, 'envelope recipient', rewriteTools(runtime, undefined), context);
  const parsed = parseAddress(text, { ...addressOptions(runtime.config), utf8: transaction.smtpUtf8 });
  if ('error' in parsed) {
    return { code: '501', text: `${split.address}: ${parsed.error}`, mistake: 'syntax', logged: parsed.error };
  }
  let recipient = parsed.address;
  if (parsed.domain === undefined) {
    if (!reception.mayLackDomain.recipient && lower(recipient) !== 'postmaster') {
      reception.logUnqualified('recipient', recipient);
      return { code: '501', text: `${split.address}: recipient address must contain a domain`, isToldWhole: true };
    }
    recipient = `${recipient}@${runtime.settings.qualifyRecipient}`;
  }
  transaction.attempts++;
  if (main.recipients_max > 0 && transaction.attempts > main.recipients_max) return tooMany(transaction, reception);
  return examine(recipient, split, transaction, reception);
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
  transaction.notifications.length = 0;
  return { code: '552', text: 'too many recipients' };
}

interface Split {
  readonly address: string;
  readonly notification: Notification;
}

type Notification = Transaction['notifications'][number];

/** Takes NOTIFY and ORCPT off the end, where DSN was offered (RFC 3461 §4.1, §4.2). What is left must be the address. */
function splitParameters(argument: string, extended: boolean): Split | { readonly problem: string } {
  let flags: number | undefined;
  let original: string | undefined;
  let address = argument;
  while (extended) {
    const [whole, name = '', value = ''] = /[ \t]+(NOTIFY|ORCPT)(?:=([^ \t]*))?$/i.exec(address) ?? [];
    if (whole === undefined) break;
    if (upper(name) === 'ORCPT') {
      if (original !== undefined) return { problem: 'ORCPT can be specified once only' };
      original = value;
    } else {
      if (flags !== undefined) return { problem: 'NOTIFY can be specified once only' };
      flags = whole.includes('=') ? notifyFlags(value) : undefined;
      if (flags === undefined) return { problem: 'Invalid value for NOTIFY parameter' };
    }
    address = address.slice(0, -whole.length);
  }
  return { address, notification: flags ? { original: original ?? '', flags } : undefined };
}

async function examine(
  recipient: string,
  { address: given, notification }: Split,
  transaction: Transaction,
  reception: Reception,
): Promise<Reply> {
  const { context, acls, client, runtime } = reception;
  const { message } = context;
  if (message) message.rcptCount = transaction.attempts;
  const { discardedBy } = transaction;
  if (discardedBy !== undefined) {
    logDiscarded(given, discardedBy.phase, discardedBy.remark, transaction, reception);
    return { code: '250', text: 'Accepted' };
  }
  const { localPart, domain } = splitAddress(recipient);
  const subject: AclRecipient = { address: recipient, localPart, domain };
  const option = runtime.config.main.acl_smtp_rcpt;
  const result = client.isBatch ? undefined : await acls.run('RCPT', option, subject);
  if (result === undefined && (client.isBatch || isOptional(reception))) {
    return take(recipient, notification, { code: '250', text: 'Accepted' }, transaction, reception);
  }
  const cutthrough = result?.outcome === 'accept' && acls.requests.controls.cutthrough !== undefined;
  const unbegun = cutthrough
    ? await (await import('./cutthrough-recipient.ts')).beginDelivery(recipient, transaction, reception)
    : undefined;
  if (result?.outcome === 'accept' && unbegun === undefined) {
    return take(recipient, notification, consent(result, '250', 'Accepted', reception), transaction, reception);
  }
  if (result?.outcome === 'discard') {
    logDiscarded(given, 'RCPT', remarkOf(result.logMessage), transaction, reception);
    return consent(result, '250', 'Accepted', reception);
  }
  const refused = unbegun ?? result ?? acls.denial();
  const temporary = refused.outcome === 'defer' || refused.outcome === 'error';
  if (temporary) transaction.postponed++;
  else transaction.refused++;
  if (message) Object.assign(message, { rcptDeferCount: transaction.postponed, rcptFailCount: transaction.refused });
  return refusal(refused, 'RCPT', `RCPT ${given}`, reception);
}

/** Without an ACL nobody from outside may send (Exim spec 44.3); a local process may. */
function isOptional({ client, runtime }: Reception): boolean {
  return client.caller !== undefined && runtime.config.main.acl_smtp_rcpt === undefined;
}

function take(
  recipient: string,
  notification: Notification,
  reply: Reply,
  transaction: Transaction,
  { context }: Reception,
): Reply {
  transaction.recipients.push(recipient);
  transaction.notifications.push(notification);
  if (context.message) context.message.recipientsCount = transaction.recipients.length;
  return reply;
}

function logDiscarded(
  given: string,
  phase: string,
  remark: string,
  { sender }: Transaction,
  { runtime, hostText }: Reception,
): void {
  const line = `${hostText}F=<${sender}> RCPT ${given}: discarded by ${phase} ACL${remark}`;
  runtime.logs.write(['main', 'reject'], line);
}
