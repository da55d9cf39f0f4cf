/** Tells a sender which addresses could not be delivered to, and returns the message (Exim spec 50.1). */

import { nextWord } from '../config/words.ts';
import type { Context } from '../expand/context.ts';
import { compileTemplate } from '../expand/expand.ts';
import { splitList } from '../lib/list-text.ts';
import { matchTemplate } from '../lists/option.ts';
import { splitAddressList } from '../mail/address.ts';
import type { HeaderLine } from '../mail/header-line.ts';
import { firstLine } from '../spool/body.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { factsOf, originalAddress } from './address.ts';
import {
  copyBody,
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

/** The body is returned up to the limit, and on to the next multiple of this (as Exim copies in such pieces). */
const limitStep = 8192;

/** RET=HDRS, as the spool keeps it. */
const onlyHeaders = 2;

const shown = (headers: readonly HeaderLine[]): string =>
  headers
    .filter(({ type }) => type !== '*')
    .map(({ text }) => text)
    .join('');

/** `a`, then each further one on a line of its own; nothing about addresses that the sender may not see. */
function failedRecipients(addresses: readonly UndeliveredAddress[]): string {
  const shown = addresses.filter(({ address }) => !address.hidden);
  if (shown.length === 0) return '';
  const names = shown.map(({ address, target }) =>
    target === undefined ? address.address : (address.parent?.address ?? ''),
  );
  return `X-Failed-Recipients: ${names.slice(0, 500).join(',\n  ')}\n`;
}

function entry(failed: UndeliveredAddress, settings: Context['settings']): string {
  let text = `  ${listedName(failed)}\n`;
  for (const line of listedOrigin(failed)) text += `    ${line}\n`;
  if (failed.host !== undefined && failed.host.name !== '') {
    text += `    host ${failed.host.name} [${failed.host.address}]\n`;
  }
  if (failed.address.hidden) return text;
  // a router that said nothing has a line all the same
  if (failed.publicMessage === '' && failed.router !== undefined && failed.transport === undefined)
    return `${text}    \n`;
  return failed.publicMessage === '' ? text : text + indented(failed.publicMessage, settings);
}

/** What commands printed. */
function outputs(addresses: readonly UndeliveredAddress[], introduction: string | undefined): string {
  const printed = addresses.filter(({ output }) => output !== undefined && output !== '');
  if (printed.length === 0) return '';
  const many = printed.length > 1 ? 's' : '';
  let text = introduction ?? `The following text was generated during the delivery attempt${many}:\n`;
  for (const failed of printed) {
    const name = [listedName(failed), ...listedOrigin(failed)].join('\n       ');
    text += `\n------ ${name} ------\n\n`;
    text += failed.output;
  }
  return `${text}\n`;
}

/** In the order in which they failed; those that printed something come first in the part for machines. */
function statusOrder(addresses: readonly UndeliveredAddress[]): readonly UndeliveredAddress[] {
  const printed = addresses.filter(({ output }) => output !== undefined && output !== '');
  return [...printed.toReversed(), ...addresses.filter((each) => !printed.includes(each)).reverse()];
}

/** Sends one bounce to `recipient`. `addresses` have the last failure in front. */
export async function sendBounce(
  recipient: string,
  addresses: readonly UndeliveredAddress[],
  message: SpooledMessage,
  context: Context,
  runtime: Runtime,
): Promise<SpooledMessage> {
  const { main } = runtime.config;
  const { envelope, body } = message;
  const toSender = recipient === envelope.sender;
  const boundary = newBoundary();
  if (context.message) context.message.bounceRecipient = recipient;
  const items = await templateItems('bounce_message_file', runtime, context);
  const subject = items[0] || `Subject: Mail delivery failed${toSender ? ': returning message to sender' : ''}\n`;
  const headers = [
    failedRecipients(addresses),
    ...reportHeaders(runtime, await reportSender(runtime, context), recipient, envelope.headers, boundary),
    subject.endsWith('\n') ? subject : `${subject}\n`,
  ];
  const extra = main.bounce_message_text;
  const introduction =
    items[1] ||
    `This message was created automatically by mail delivery software.\n${extra === undefined ? '\n' : `${extra}\n`}${
      toSender
        ? 'A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n'
        : `A message sent by\n\n  <${envelope.sender}>\n\ncould not be delivered to one or more of its recipients. The following\naddress(es) failed:\n`
    }`;
  let text = `--${boundary}\nContent-type: text/plain; charset=us-ascii\n\n${introduction}\n`;
  text += addresses.map((failed) => entry(failed, context.settings)).join('');
  text += `\n${outputs(addresses, items[2] || undefined)}`;
  text += deliveryStatus(
    statusOrder(addresses),
    'failed',
    boundary,
    runtime.settings.primaryHostname,
    envelope,
    context.settings,
  );
  const limit = main.bounce_return_size_limit;
  const mostReturned = (Math.floor(limit / limitStep) + 1) * limitStep;
  const tooLarge = limit > 0 && body.size + firstLine(envelope.id).length > mostReturned;
  const lineLimit = main.bounce_return_linesize_limit;
  const tooLong = lineLimit > 0 && (envelope.facts.maxReceivedLineLength ?? 0) > lineLimit;
  const headersOnly = tooLarge || tooLong || !main.bounce_return_body || envelope.facts.dsnRet === onlyHeaders;
  text += `--${boundary}\nContent-type: ${headersOnly ? 'text/rfc822-headers' : 'message/rfc822'}\n\n`;
  text += `Return-path: <${envelope.sender}>\n${shown(envelope.headers)}`;
  if (tooLarge || tooLong) {
    text += 'X-Exim-DSN-Information: Due to administrative limits only headers are returned\n';
  }
  const recipients = [recipient, ...(await copies(recipient, context, runtime))];
  return submitReport(
    {
      recipients,
      headers,
      reference: envelope.id,
      dontDeliver: envelope.facts.dontDeliver,
      async writeBody(write) {
        await write(Buffer.from(`${text}\n`, 'latin1'));
        if (!headersOnly) await copyBody(body, write);
        await write(Buffer.from(`\n--${boundary}--\n`, 'latin1'));
      },
    },
    runtime,
  );
}

/** Who else gets the bounce (errors_copy: pairs of a pattern and addresses). */
async function copies(recipient: string, context: Context, runtime: Runtime): Promise<readonly string[]> {
  const setting = runtime.config.main.errors_copy;
  if (setting === undefined) return [];
  context.address = factsOf(originalAddress(recipient));
  for (const item of splitList(setting.source).items) {
    const pattern = nextWord(item);
    if (pattern === undefined || pattern.value === '') continue;
    const template = compileTemplate(pattern.value.replaceAll(':', '::'));
    const answer = await matchTemplate({ kind: 'address', template }, recipient, context);
    if (answer.outcome !== 'match') continue;
    const expansion = await compileTemplate(pattern.rest).expand(context);
    if (expansion.ok) return splitAddressList(expansion.text.value);
    runtime.logs.panic(`failed to expand errors_copy: ${expansion.message}`);
    return [];
  }
  return [];
}
