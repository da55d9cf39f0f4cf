/** Variables that are put together from several facts of the message and of its connection. */

import { loadavg } from 'node:os';
import { type Eventual, then } from '../lib/eventual.ts';
import { lower, trim, trimEnd } from '../lib/octets.ts';
import { decodeWords } from '../mail/encoded-word.ts';
import { headerBody } from '../mail/header-line.ts';
import type { Context } from './context.ts';

/** `$message_body`, `$message_body_end`: newlines and NULs become blanks, unless the configuration keeps newlines. */
export function body(c: Context, from: 'start' | 'end'): Eventual<string> {
  if (c.message === undefined) return '';
  return then(c.message.body(c.settings.messageBodyVisible, from), (text) =>
    c.settings.messageBodyNewlines ? text.replaceAll('\0', ' ') : text.replace(/[\n\0]/g, ' '),
  );
}

/** All header lines that are still there; decoded, in the character sets they came in, and without the last newline, or as they are. */
export function allHeaders(c: Context, decoded: boolean): string {
  let text = '';
  for (const line of c.message?.headers ?? []) if (line.type !== '*') text += line.text;
  if (!decoded) return text;
  return trimEnd(decodeWords(text, { checkLength: c.settings.checkRfc2047Length }));
}

/** The body of Reply-To: if there is one that is not empty, else of From:. */
export function replyAddress(c: Context): string {
  for (const type of ['R', 'F'] as const) {
    const bodies = (c.message?.headers ?? [])
      .filter((line) => line.type === type)
      .map((line) => trim(headerBody(line.text)))
      .filter((text) => text !== '');
    if (bodies.length > 0) return bodies.join(', ').replaceAll('\n', '');
  }
  return '';
}

/** `name (helo) [address]`, as logs name the sending host (Exim spec 11.9, sender_fullhost). */
export function fullHost(c: Context): string {
  const host = c.connection;
  if (host === undefined || host.hostAddress === '' || host.handsNothingOver === true) return '';
  const parts: string[] = [];
  if (host.hostName !== '') parts.push(host.hostName);
  if (host.heloName !== '' && lower(host.heloName) !== lower(host.hostName)) {
    parts.push(`(${host.heloName})`);
  }
  parts.push(`[${host.hostAddress}]`);
  return parts.join(' ');
}

/** The sending host as a Received: line names it (Exim spec 11.9, sender_rcvhost). */
export function receivedHost(c: Context): string {
  const host = c.connection;
  if (host === undefined || host.hostAddress === '' || host.handsNothingOver === true) return '';
  const details: string[] = [];
  const address = `[${host.hostAddress}]`;
  const literal = address;
  const port = host.hostPort > 0 && c.settings.logsIncomingPort ? String(host.hostPort) : '';
  if (host.hostName !== '') details.push(port === '' ? address : `${address}:${port}`);
  else if (port !== '') details.push(`port=${port}`);
  if (host.heloName !== '' && lower(host.heloName) !== lower(host.hostName) && host.heloName !== literal) {
    details.push(`helo=${host.heloName}`);
  }
  const hasHelo = details.some((detail) => detail.startsWith('helo='));
  if (host.ident !== '') details.push(`ident=${host.ident}`);
  const name = host.hostName === '' ? address : host.hostName;
  if (details.length === 0) return name;
  const fold = host.hostName !== '' && hasHelo ? '\n\t' : ' ';
  return `${name}${fold}(${details.join(' ')})`;
}

/** The load average of the last minute, times 1000. */
export function loadAverage(): number {
  return Math.round((loadavg()[0] ?? 0) * 1000);
}
