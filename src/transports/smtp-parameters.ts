/** What MAIL and RCPT say besides the addresses, as far as the host offers it (RFC 1870, 3461, 4954, 6531). */

import type { Extensions } from '../smtp/client/extensions.ts';
import { notifyWords } from '../smtp/notification.ts';
import { xtext } from '../smtp/xtext.ts';
import type { SmtpRun } from './smtp-run.ts';
import type { DeliveryAddress } from './transport.ts';

/** `SIZE`, as the message is with CRLF and what may still be added to it, and `SMTPUTF8` where an address needs it. */
export function mailParameters(
  { options, request }: Pick<SmtpRun, 'options' | 'request'>,
  offered: Extensions,
  group: readonly DeliveryAddress[],
  { sender, isUtf8 }: { readonly sender: string | undefined; readonly isUtf8: boolean },
): string[] {
  const { headers, body } = request.content;
  const { size = -1, lineCount = 0 } = request.context.message ?? {};
  const octets = size >= 0 ? size + Math.max(lineCount, 0) : headers.length + 1 + body.size;
  const parameters: string[] = [];
  if (offered.has('SIZE')) parameters.push(`SIZE=${octets + options.size_addition}`);
  const names = [request.returnPath, ...group.map(({ recipient }) => recipient)];
  if (isUtf8 || (offered.has('SMTPUTF8') && names.some((name) => /[\x80-\xff]/.test(name)))) {
    parameters.push('SMTPUTF8');
  }
  if (offered.has('DSN') && group.some(({ reportsEnd }) => reportsEnd !== true)) {
    const { dsnRet, dsnEnvid } = request.envelopeFacts ?? {};
    if (dsnRet !== undefined) parameters.push(`RET=${dsnRet === 1 ? 'FULL' : 'HDRS'}`);
    if (dsnEnvid !== undefined) parameters.push(`ENVID=${dsnEnvid}`);
  }
  if (sender !== undefined) parameters.push(`AUTH=${xtext(sender)}`);
  return parameters;
}

/** NOTIFY and ORCPT, for a host that offers DSN (RFC 3461 §4.1, §4.2). */
export function recipientParameters(
  { notification, reportsEnd }: DeliveryAddress,
  offered: Extensions,
): readonly string[] {
  if (notification === undefined || notification.flags === 0 || reportsEnd || !offered.has('DSN')) return [];
  const { flags, original } = notification;
  return [`NOTIFY=${notifyWords(flags)}`, ...(original === '' ? [] : [`ORCPT=${original}`])];
}
