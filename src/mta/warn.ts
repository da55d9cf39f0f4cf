/** Tells a sender that a message is still on the queue (Exim spec 50.2, 14: delay_warning). */

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

/** Seconds between the last time of a list and the one that would follow. */
function lastStep(times: readonly number[]): number {
  return (times.at(-1) ?? 0) - (times.at(-2) ?? 0);
}

/** How many warnings are due after so many seconds; behind the last time of the list, its last interval goes on. */
export function warningsDue(times: readonly number[], age: number): number {
  const last = times.at(-1);
  if (last === undefined) return 0;
  const listed = times.filter((time) => time <= age).length;
  if (listed < times.length) return listed;
  const step = lastStep(times);
  return step > 0 ? listed + Math.floor((age - last) / step) : listed;
}

/** `2 hours`, `30 minutes`: when the warning was due, in hours as soon as the message is two hours old. */
export function delayText(age: number, times: readonly number[], count: number): string {
  const due = times[count - 1] ?? (times.at(-1) ?? 0) + (count - times.length) * lastStep(times);
  return age < 2 * 3600 ? `${Math.floor(due / 60)} minutes` : `${Math.floor(due / 3600)} hours`;
}

/** Whether a warning is to be sent now, and how many have been due so far. */
export async function warningCount(
  message: SpooledMessage,
  runtime: Runtime,
  context: Context,
): Promise<number | undefined> {
  const { main } = runtime.config;
  const { envelope } = message;
  if (envelope.sender === '' || envelope.facts.localError) return undefined;
  if (main.delay_warning.length === 0) return undefined;
  const expansion = await main.delay_warning_condition.expand(context);
  if (!expansion.ok) {
    if (expansion.kind === 'forced') return undefined;
    const what = `condition "${main.delay_warning_condition.source}" for delay_warning option`;
    runtime.logs.write(['main', 'panic'], `failed to expand ${what}: ${expansion.message}`, envelope.id);
    return undefined;
  }
  const due = warningsDue(main.delay_warning, clock.seconds() - envelope.receivedTime);
  return due > envelope.warningCount && laxBoolean(expansion.text.value) ? due : undefined;
}

function entry(waiting: UndeliveredAddress, settings: Context['settings']): string {
  const origin = listedOrigin(waiting).map((line) => `    ${line}\n`);
  const reason =
    waiting.publicMessage === '' || waiting.address.hidden
      ? ''
      : indented(`Delay reason: ${waiting.publicMessage}`, settings);
  const { host } = waiting;
  const where = host === undefined || host.name === '' ? '' : `    host ${host.name} [${host.address}]\n`;
  return `  ${listedName(waiting)}\n${origin.join('')}${where}${reason}`;
}

/** Sends the warning: one letter to all who are to be told. */
export async function sendWarning(
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
  const recipients = [...new Set(addresses.map(({ errorsTo }) => errorsTo))];
  const to = recipients.join(',');
  const delay = delayText(clock.seconds() - envelope.receivedTime, main.delay_warning, count);
  if (context.message) {
    context.message.warningDelay = delay;
    context.message.warningRecipients = to;
  }
  const waiting = addresses.length;
  const items = await templateItems('warn_message_file', runtime, context);
  const subject = items[0] || `Subject: Warning: message ${envelope.id} delayed ${delay}\n`;
  const headers = [
    ...reportHeaders(runtime, await reportSender(runtime, context), to, envelope.headers, boundary),
    subject.endsWith('\n') ? subject : `${subject}\n`,
  ];
  const introduction = items[1] || standardIntroduction(to, delay, message, waiting, primaryHostname);
  const ending =
    items[2] ??
    'No action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals if the message\nremains undelivered. Eventually the mail delivery software will give up,\nand when that happens, the message will be returned to you.\n';
  let text = `--${boundary}\nContent-type: text/plain; charset=us-ascii\n\n${introduction}\n`;
  text += `${addresses.map((waiting) => entry(waiting, context.settings)).join('')}\n${ending}\n`;
  text += deliveryStatus(addresses, 'delayed', boundary, primaryHostname, envelope, context.settings);
  text += `--${boundary}\nContent-type: text/rfc822-headers\n\nReturn-path: <${envelope.sender}>\n`;
  for (const { type, text: line } of envelope.headers) if (type !== '*') text += line;
  text += `\n\n--${boundary}--\n`;
  return submitReport(
    {
      recipients,
      headers,
      reference: envelope.id,
      async writeBody(write) {
        await write(Buffer.from(text, 'latin1'));
      },
    },
    runtime,
  );
}

function standardIntroduction(
  to: string,
  delay: string,
  message: SpooledMessage,
  waiting: number,
  hostname: string,
): string {
  const { envelope } = message;
  const state =
    to === envelope.sender
      ? `A message that you sent has not yet been delivered to one or more of its\nrecipients after more than ${delay} on`
      : `A message sent by\n\n  <${envelope.sender}>\n\nhas not yet been delivered to one or more of its recipients after more than\n${delay} on`;
  let text = `This message was created automatically by mail delivery software.\n${state} the queue on ${hostname}.\n\nThe message identifier is:     ${envelope.id}\n`;
  const subject = originalHeader(envelope.headers, 'subject');
  const date = originalHeader(envelope.headers, 'date');
  // one without a text takes the end of its line along
  const line = (value: string): string => (value === '' ? '' : `${value}\n`);
  if (subject !== undefined) text += `The subject of the message is: ${line(subject)}`;
  if (date !== undefined) text += `The date of the message is:    ${line(date)}`;
  const [names, verb] = waiting === 1 ? ['address', 'is'] : ['addresses', 'are'];
  return `${text}\nThe ${names} to which the message has not yet been delivered ${verb}:\n`;
}
