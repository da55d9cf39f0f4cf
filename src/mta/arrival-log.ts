/** The lines that tell of a message that came in, and of the host it came from (Exim spec 53.6). */

import type { ConnectionFacts } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { printing } from '../lib/escapes.ts';
import { formatPassed } from '../lib/intervals.ts';
import { lower, trim } from '../lib/octets.ts';
import { parseAddress } from '../mail/address.ts';
import { type DecodeOptions, decodeWords, UnknownCharset } from '../mail/encoded-word.ts';
import { type HeaderLine, headerBody, headerName } from '../mail/header-line.ts';
import type { TlsFacts } from '../net/tls.ts';
import type { LogSelector } from '../observe/log-selectors.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import type { Arrival } from './arrival.ts';

/** The value of a header line by its name, with its line ends. */
function headerValue(headers: readonly HeaderLine[], name: string): string | undefined {
  const found = headers.find(({ type, text }) => type !== '*' && lower(headerName(text)) === name);
  return found === undefined ? undefined : trim(headerBody(found.text));
}

function idField(arrival: Arrival, selects: (selector: LogSelector) => boolean): string {
  const made = arrival.messageIdMade;
  if (!selects('msg_id') || (made && !selects('msg_id_created'))) return '';
  const value = headerValue(arrival.headers, 'resent-message-id') ?? headerValue(arrival.headers, 'message-id');
  if (value === undefined) return '';
  const id = parseAddress(value, { allowDomainLiterals: true });
  if ('error' in id) return '';
  return ` id${made ? '*' : ''}=${printing(id.address, arrival.context.settings.printTopBitCharacters)}`;
}

/** The text as it stands when it is in a character set that nobody knows. */
function decoded(text: string, options: DecodeOptions): string {
  try {
    return decodeWords(text, { ...options, strict: true });
  } catch (error) {
    if (error instanceof UnknownCharset) return text;
    throw error;
  }
}

const longestSubject = 100;

/** ` T="subject"`, its encoded words decoded. */
function subjectField({ headers, context }: Arrival): string {
  const value = headerValue(headers, 'subject');
  if (value === undefined) return '';
  const { headersCharset: charset, checkRfc2047Length: checkLength, printTopBitCharacters } = context.settings;
  const subject = decoded(value, { checkLength, charset }).slice(0, longestSubject);
  const shown = subject.replace(/["\\]|[^\t"\\]+/g, (part) =>
    /^["\\]/.test(part) ? `\\${part}` : printing(part, printTopBitCharacters),
  );
  return ` T="${shown}"`;
}

/** ` A=authenticator:id` of a client that logged in. */
export function authenticatorField({ authenticator, authenticatedId }: ConnectionFacts): string {
  if (authenticator === '') return '';
  return authenticatedId === '' ? ` A=${authenticator}` : ` A=${authenticator}:${authenticatedId}`;
}

/** ` Q=name` of a queue that has one. */
export function queueField(queue: string): string {
  return queue === '' ? '' : ` Q=${queue}`;
}

/** `(name) ` in front of directories of a queue that has one. */
export function queueMark(queue: string): string {
  return queue === '' ? '' : `(${queue}) `;
}

/** `H=name (helo) [1.2.3.4]`, and `U=ident`, for log lines about a sending host. */
export function hostFields(connection: ConnectionFacts, selects: (selector: LogSelector) => boolean): string {
  let text = '';
  if (connection.hostAddress !== '') {
    const helo = connection.heloName;
    const name = connection.hostName;
    text += ' H=';
    if (name !== '') text += `${name} `;
    if (helo !== '' && lower(helo) !== lower(name)) text += `(${helo}) `;
    text += `[${connection.hostAddress}]`;
    if (selects('incoming_port') && connection.hostPort > 0) text += `:${connection.hostPort}`;
    if (selects('incoming_interface') && connection.interfaceAddress !== '') {
      text += ` I=[${connection.interfaceAddress}]:${connection.interfacePort}`;
    }
  }
  if (connection.ident !== '') text += ` U=${connection.ident}`;
  return text;
}

/** The other end of the line, in the middle of a log line: a host, or whoever runs this program. */
export function otherSide(connection: ConnectionFacts, selects: (selector: LogSelector) => boolean): string {
  const { hostAddress, ident, isPretended } = connection;
  return hostAddress === '' || isPretended ? ident : hostFields(connection, selects).replace(/^ H=/, '');
}

/** What was agreed on with a client: `X=cipher CV=no DN="…" SNI=…`, as far as the log selectors ask for it. */
export function clientTlsFields(tls: TlsFacts | undefined, selects: (selector: LogSelector) => boolean): string {
  const sni = tls?.sni ?? '';
  const shown = selects('tls_sni') && sni !== '' ? ` SNI=${sni.replace(/[\x00-\x20\x7f]/g, '?')}` : '';
  return `${tlsFields(tls, selects)}${shown}`;
}

/** `X=cipher CV=no DN="…"`, as far as the log selectors ask for them. */
export function tlsFields(tls: TlsFacts | undefined, selects: (selector: LogSelector) => boolean): string {
  if (tls === undefined) return '';
  let text = selects('tls_cipher') ? ` X=${tls.cipher}${tls.resumed && selects('tls_resumption') ? '*' : ''}` : '';
  if (selects('tls_certificate_verified')) text += ` CV=${tls.dane ? 'dane' : tls.verified ? 'yes' : 'no'}`;
  const shown = (value: string): string => value.replace(/[\x00-\x1f\x7f]/g, '?');
  if (selects('tls_peerdn') && tls.peerDn !== '') text += ` DN="${shown(tls.peerDn)}"`;
  return text;
}

/** What stands behind the L of the log selector pipelining. */
const earlyMarks = { 'not offered': '', offered: '.', used: '*' } as const;

/** `<= sender …`: the line that says that a message came in (Exim spec 53.6). */
export function arrivalLine(arrival: Arrival, selects: (selector: LogSelector) => boolean, mark = '<='): string {
  const { connection, sender, context, begun } = arrival;
  let line = `${mark} ${sender === '' ? '<>' : sender}`;
  if (arrival.reference !== undefined && arrival.reference !== '') line += ` R=${arrival.reference}`;
  line += hostFields(connection, selects);
  if (connection.receivedProtocol !== '') line += ` P=${connection.receivedProtocol}`;
  if (selects('pipelining') && connection.pipelining !== undefined) {
    line += ` L${earlyMarks[connection.pipeConnect ?? 'not offered']}${connection.pipelining === 'used' ? '' : '-'}`;
  }
  line += clientTlsFields(connection.tls, selects);
  if (connection.authenticator !== '') {
    line += authenticatorField(connection);
    const sender = context.message?.authenticatedSender ?? '';
    if (selects('smtp_mailauth') && sender !== '') line += `:${sender}`;
  }
  if (arrival.prdr) line += ' PRDR';
  const proxy = connection.proxy?.local;
  if (selects('proxy') && proxy !== undefined) line += ` PRX=${proxy.address}`;
  if (arrival.lastChunk !== undefined) line += ' K';
  line += ` S=${sizeOf(arrival)}`;
  const verified = context.message?.dkim?.verified ?? '';
  if (selects('dkim') && verified !== '') line += ` DKIM=${verified}`;
  if (selects('8bitmime')) line += ` M8S=${arrival.bodyType === '8BITMIME' ? 8 : arrival.bodyType === '7BIT' ? 7 : 0}`;
  if (selects('receive_time')) line += ` RT=${formatPassed((clock.now() - begun) / 1000, selects('millisec'))}`;
  line += queueField(context.queueName);
  line += idField(arrival, selects);
  if (selects('subject')) line += subjectField(arrival);
  return line;
}

/** Octets of the message as it goes on the queue, with the header lines that were added. */
function sizeOf({ headers, reader }: Arrival): number {
  const octets = headers.reduce((sum, { type, text }) => (type === '*' ? sum : sum + text.length), 0);
  return octets + 1 + reader.bodySize;
}

/** ` from <sender> for recipients`, as the log selectors ask. */
export function arrivalTail(arrival: Arrival, selects: (selector: LogSelector) => boolean): string {
  const { sender, recipients } = arrival.given ?? arrival;
  let tail = '';
  if (selects('received_sender')) tail += ` from <${sender}>`;
  if (selects('received_recipients')) {
    tail += ` for${recipients.map(({ address }) => ` ${address}`).join('')}`;
  }
  return tail;
}

/** Writes the arrival to the main log and begins the log of the message; `(=` marks one that was refused and kept. */
export function logArrival(
  arrival: Arrival,
  message: SpooledMessage | undefined,
  stamp: () => string,
  mark: '<=' | '(=' = '<=',
): void {
  const { logs } = arrival.runtime;
  const selects = (selector: LogSelector): boolean => logs.selects(selector);
  const line = arrivalLine(arrival, selects, mark);
  logs.main(`${line}${arrivalTail(arrival, selects)}`, arrival.newMessage.id);
  message?.log(`${stamp()} Received from ${line.slice('<= '.length)}\n`);
}

/** The header lines as the reject log shows them: their type in front (Exim spec 53.1). */
export function headersForLog({ sender, recipients, headers }: Arrival): string {
  const to = recipients.map(({ address }, i) => (i === 0 ? `Envelope-to: <${address}>\n` : `    <${address}>\n`));
  const lines = headers.map(({ type, text }: HeaderLine) => `${type} ${text}`);
  return `Envelope-from: <${sender}>\n${to.join('')}${lines.join('')}`;
}
