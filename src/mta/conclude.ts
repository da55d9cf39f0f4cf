/**
 * The end of a delivery attempt: senders are told of what failed, or warned of what waits; the message leaves the queue,
 * is frozen, or stays with its state renewed (Exim spec 3.15, 50).
 */

import * as clock from '../lib/clock.ts';
import { formatPassed } from '../lib/intervals.ts';
import { referencesTo } from '../mail/references.ts';
import type { Occasion } from '../smtp/notification.ts';
import type { Envelope } from '../spool/envelope.ts';
import { addressKey } from './address.ts';
import { queueMark } from './arrival-log.ts';
import { type Attempt, keyOf } from './attempt.ts';
import { sendBounce } from './bounce.ts';
import { deliveryKey } from './delivery-log.ts';
import { raise } from './events.ts';
import { isWanted } from './notification.ts';
import { reportSender } from './report-text.ts';
import { submitReport } from './submit.ts';
import { reportSuccess } from './success.ts';
import type { UndeliveredAddress } from './undelivered.ts';
import { sendWarning, warningCount } from './warn.ts';

export async function conclude(attempt: Attempt): Promise<void> {
  const { message } = attempt;
  const { envelope } = message;
  await attempt.failGivenUp();
  await reportSuccess(attempt);
  const unreturnable = await returnFailed(attempt);
  const waiting = [...attempt.deferred, ...unreturnable];
  const open = new Set<number>(waiting.map(({ address }) => address.recipient));
  // a recipient may wait as what another one was redirected to
  const names = new Set(waiting.filter(({ target }) => target === undefined).map(({ address }) => addressKey(address)));
  for (const failed of attempt.failed)
    if (!unreturnable.includes(failed))
      envelope.nonRecipients.add(deliveryKey({ ...failed, transport: failed.transport ?? '' }));
  const finished: string[] = [];
  for (const { address, recipient } of attempt.recipientsToDo()) {
    if (
      open.has(recipient) ||
      names.has(keyOf(address)) ||
      attempt.frozenBy !== undefined ||
      attempt.recipientsReplaced
    )
      continue;
    envelope.nonRecipients.add(keyOf(address));
    finished.push(address);
  }
  if (open.size === 0 && attempt.frozenBy === undefined) {
    await complete(attempt);
    return;
  }
  for (const address of finished) {
    const delivered = attempt.failed.some((failed) => failed.address.address === address);
    if (!delivered) attempt.note(`${address}: children all complete`);
  }
  if (unreturnable.length === 0) await warn(attempt);
  if (unreturnable.length > 0) await freeze(attempt, unreturnable, ' (delivery error message)');
  else if (attempt.frozenBy !== undefined) await freeze(attempt, [], attempt.frozenBy);
  else if (attempt.deferred.some((each) => each.freeze)) await freeze(attempt, [], '');
  envelope.facts.deliverFirstTime = undefined;
  keepOneTime(attempt);
  await message.update();
  if (envelope.facts.frozen !== undefined && attempt.runtime.config.main.move_frozen_messages) {
    message.setAside();
    const mark = queueMark(message.queue);
    attempt.log(`moved from ${mark}input, msglog to ${mark}Finput, Fmsglog`);
  }
}

/** What comes of redirection that is done once only becomes part of the envelope (Exim spec 22.7, one_time). */
function keepOneTime({ deferred, message }: Attempt): void {
  const { recipients, nonRecipients } = message.envelope;
  for (const { address, errorsTo } of deferred) {
    const { parent } = address;
    if (!address.oneTime || parent === undefined) continue;
    nonRecipients.add(addressKey(parent));
    if (recipients.some((known) => known.address === address.address)) continue;
    recipients.push({
      address: address.address,
      parent: address.recipient,
      errorsTo: address.inherited.errorsTo === undefined ? undefined : errorsTo,
    });
  }
}

async function complete(attempt: Attempt): Promise<void> {
  const facts = attempt.lineFacts({}, clock.now());
  const time = attempt.selects('queue_time_overall')
    ? ` QT=${formatPassed(facts.queueTime, attempt.selects('millisec'))}`
    : '';
  attempt.log(`Completed${time}`);
  const { runtime, context } = attempt;
  await raise(runtime.config.main.event_action, { name: 'msg:complete' }, runtime, { ...context, address: undefined });
  attempt.message.remove();
}

async function freeze(attempt: Attempt, failed: readonly UndeliveredAddress[], why: string): Promise<void> {
  await tellOfFreezing(attempt, failed, why);
  attempt.message.envelope.facts.frozen = clock.seconds();
  attempt.log(`Frozen${why}`);
  attempt.message.log(`*** Frozen${why}\n`);
}

/** Bounces what failed. Answers the addresses about which nobody can be told. */
async function returnFailed(attempt: Attempt): Promise<readonly UndeliveredAddress[]> {
  const { message, runtime, context, tools } = attempt;
  const byRecipient = new Map<string, UndeliveredAddress[]>();
  const unreturnable: UndeliveredAddress[] = [];
  for (const failed of attempt.failed) {
    const others = byRecipient.get(failed.errorsTo);
    if (others !== undefined) {
      // a report that is sent anyway tells of all, as Exim's does
      others.push(failed);
    } else if (failed.errorsTo !== '' && !concerns(failed, 'FAILURE', message.envelope)) {
      attempt.log(`${shownName(failed)}: error ignored: RFC 3461 DSN, failure notify not requested`);
    } else if (failed.errorsTo !== '') {
      byRecipient.set(failed.errorsTo, [failed]);
    } else if (isIgnored(attempt)) {
      if (!attempt.gaveUp) attempt.log(`${shownWithParent(failed)}: error ignored`);
    } else {
      unreturnable.push(failed);
    }
  }
  for (const [recipient, addresses] of byRecipient) {
    const bounce = await sendBounce(recipient, addresses, message, context, runtime);
    await tools.deliverReport(bounce);
  }
  return unreturnable;
}

/** Whether a report is wanted: what the sender said holds for reports to the sender. */
function concerns({ address, errorsTo }: UndeliveredAddress, occasion: Occasion, envelope: Envelope): boolean {
  return errorsTo !== envelope.sender || isWanted(address, occasion, envelope);
}

function shownName({ address, target }: UndeliveredAddress): string {
  return target?.text ?? address.address;
}

/** The name, and the address that it came out of. */
function shownWithParent(failed: UndeliveredAddress): string {
  const { parent } = failed.address;
  return parent === undefined ? shownName(failed) : `${shownName(failed)} <${parent.address}>`;
}

/** Whether a bounce that cannot be delivered is dropped now (ignore_bounce_errors_after), or nobody wants to be told. */
function isIgnored({ message, runtime, age, gaveUp }: Attempt): boolean {
  if (message.envelope.sender !== '') return true;
  return gaveUp || age >= runtime.config.main.ignore_bounce_errors_after;
}

async function warn(attempt: Attempt): Promise<void> {
  const { message, runtime, context, tools } = attempt;
  const due = await warningCount(message, runtime, context);
  if (due === undefined) return;
  const { envelope } = message;
  const told = attempt.deferred.filter((each) => each.errorsTo !== '' && concerns(each, 'DELAY', envelope)).reverse();
  if (told.length > 0) await tools.deliverReport(await sendWarning(told, due, message, context, runtime));
  message.envelope.warningCount = due;
}

/** Tells the addresses of freeze_tell that a message is frozen. */
async function tellOfFreezing(attempt: Attempt, failed: readonly UndeliveredAddress[], why: string): Promise<void> {
  const { message, runtime, context, tools } = attempt;
  const { freeze_tell: tell } = runtime.config.main;
  const { envelope } = message;
  if (tell === undefined || tell === '' || envelope.facts.localError) return;
  const open = [...[...attempt.deferred].reverse(), ...failed];
  // those that the system filter held back have no reason of their own
  const held = attempt.frozenBy === undefined ? [] : attempt.recipientsToDo().map(({ address }) => `  ${address}\n`);
  const reasons = [...open.map((each) => `  ${shownName(each)}: ${each.message}\n`), ...held].join('');
  const report = await submitReport(
    {
      recipients: tell.split(/[ \t]*,[ \t]*/),
      headers: [
        'Auto-Submitted: auto-replied\n',
        `From: ${await reportSender(runtime, context)}\n`,
        `To: ${tell}\n`,
        ...referencesTo(envelope.headers),
        'Subject: Message frozen\n',
      ],
      reference: envelope.id,
      async writeBody(write) {
        const text = `Message ${envelope.id} has been frozen${why.replace(': ', '.\n')}.\nThe sender is <${envelope.sender}>.\n\nThe following address(es) have yet to be delivered:\n${reasons}`;
        await write(Buffer.from(text, 'latin1'));
      },
    },
    runtime,
  );
  await tools.deliverReport(report);
}
