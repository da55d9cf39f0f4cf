/** Tells a sender that a message is still on the queue (Exim spec 50.2, 14: delay_warning). */

import type { Config } from '../config/config.ts';
import { laxBoolean } from '../expand/conditions/logic.ts';
import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { originalHeader } from '../mail/references.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import {
  deliveryStatus,
  indented,
  listedName,
  listedOrigin,
  newBoundary,
  reportHeaders,
  reportSender,
  templateItems,
} from './report-text.ts';
import type { Runtime } from './runtime.ts';
import { submitReport } from './submit.ts';
import type { UndeliveredAddress } from './undelivered.ts';

/** How many warnings are due after so many seconds; behind the last time of the list, its last interval goes on. */
export function warningsDue(times: readonly number[], age: number): number {
  const last = times.at(-1);
  if (last === undefined) return 0;
  const listed = times.filter((time) => time <= age).length;
  if (listed < times.length) return listed;
  const step = times.length > 1 ? last - (times.at(-2) ?? 0) : last;
  return step > 0 ? listed + Math.floor((age - last) / step) : listed;
}

/** `2 hours`, `30 minutes`. */
function delayText(age: number, times: readonly number[], count: number): string {
  const due = times[Math.min(count, times.length) - 1] ?? age;
  const seconds = count <= times.length ? due : age;
  const hours = Math.floor(seconds / 3600);
  if (seconds < 120 * 60) {
    const minutes = Math.floor(seconds / 60);
    return `${minutes} minute${minutes === 1 ? '' : 's'}`;
  }
  return `${hours} hour${hours === 1 ? '' : 's'}`;
}

/** Whether a warning is to be sent now, and how many have been due so far. */
export async function warningCount(
  message: SpooledMessage,
  { main }: Config,
  context: Context,
): Promise<number | undefined> {
  const { envelope } = message;
  if (envelope.sender === '' || envelope.facts.localError) return undefined;
  const due = warningsDue(main.delay_warning, clock.seconds() - envelope.receivedTime);
  if (due <= envelope.warningCount) return undefined;
  const expansion = await main.delay_warning_condition.expand(context);
  if (!expansion.ok) return expansion.kind === 'forced' ? undefined : due;
  return laxBoolean(expansion.text.value) ? due : undefined;
}

function entry(waiting: UndeliveredAddress): string {
  const origin = listedOrigin(waiting);
  const reason =
    waiting.publicMessage === '' || waiting.address.hidden ? '' : indented(`Delay reason: ${waiting.publicMessage}`);
  const { host } = waiting;
  const where =
    host === undefined || host.name === '' || waiting.address.hidden ? '' : `    host ${host.name} [${host.address}]\n`;
  return `  ${listedName(waiting)}\n${origin === '' ? '' : `    ${origin}\n`}${where}${reason}`;
}

/** Sends the warning. */
export async function sendWarning(
  recipient: string,
  addresses: readonly UndeliveredAddress[],
  count: number,
  message: SpooledMessage,
  context: Context,
  runtime: Runtime,
): Promise<SpooledMessage> {
  const { main } = runtime.config;
  const { envelope } = message;
  const { primaryHostname } = runtime.settings;
  const boundary = newBoundary();
  const delay = delayText(clock.seconds() - envelope.receivedTime, main.delay_warning, count);
  if (context.message) {
    context.message.warningDelay = delay;
    context.message.warningRecipients = recipient;
    context.message.bounceRecipient = recipient;
  }
  const items = await templateItems(main.warn_message_file, 'warn_message_file', runtime, context);
  const subject = items[0] ?? `Subject: Warning: message ${envelope.id} delayed ${delay}\n`;
  const headers = [
    ...reportHeaders(runtime, await reportSender(runtime, context), recipient, envelope.headers, boundary),
    subject.endsWith('\n') ? subject : `${subject}\n`,
  ];
  const introduction = items[1] ?? standardIntroduction(recipient, delay, message, primaryHostname);
  const ending =
    items[2] ??
    'No action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals if the message\nremains undelivered. Eventually the mail delivery software will give up,\nand when that happens, the message will be returned to you.\n';
  let text = `--${boundary}\nContent-type: text/plain; charset=us-ascii\n\n${introduction}\n`;
  text += `${addresses.map(entry).join('')}\n${ending}\n`;
  text += deliveryStatus(addresses, 'delayed', boundary, primaryHostname, envelope);
  text += `--${boundary}\nContent-type: text/rfc822-headers\n\nReturn-path: <${envelope.sender}>\n`;
  for (const { type, text: line } of envelope.headers) if (type !== '*') text += line;
  text += `\n\n--${boundary}--\n`;
  return submitReport(
    {
      recipients: [recipient],
      headers,
      reference: envelope.id,
      async writeBody(write) {
        await write(Buffer.from(text, 'latin1'));
      },
    },
    runtime,
  );
}

function standardIntroduction(recipient: string, delay: string, message: SpooledMessage, hostname: string): string {
  const { envelope } = message;
  const whose =
    recipient === envelope.sender ? 'A message that you sent ' : `A message sent by\n\n  <${envelope.sender}>\n\n`;
  let text = `This message was created automatically by mail delivery software.\n${whose}has not yet been delivered to one or more of its\nrecipients after more than ${delay} on the queue on ${hostname}.\n\nThe message identifier is:     ${envelope.id}\n`;
  const subject = originalHeader(envelope.headers, 'subject');
  const date = originalHeader(envelope.headers, 'date');
  if (subject !== undefined) text += `The subject of the message is: ${subject}\n`;
  if (date !== undefined) text += `The date of the message is:    ${date}\n`;
  return `${text}\nThe addresses to which the message has not yet been delivered are:\n`;
}
