/** What expansions see of a message on the queue: its envelope, its header lines and the host it came from. */

import type { ConnectionFacts, Context, MessageFacts } from '../expand/context.ts';
import { emptyMessage, newConnection } from '../expand/facts.ts';
import { noFacts, type TlsFacts } from '../net/tls.ts';
import type { Decisions } from '../observe/decision.ts';
import { Text } from '../safe/taint.ts';
import type { Body } from '../spool/body.ts';
import type { Envelope, SpoolFacts } from '../spool/envelope.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { newContext, type Runtime } from './runtime.ts';

function connectionOf({ facts, aclConnectionVariables }: Envelope): ConnectionFacts {
  const connection = newConnection(...splitPort(facts.hostAddress ?? ''));
  const [interfaceAddress, interfacePort] = splitPort(facts.interfaceAddress ?? '');
  return {
    ...connection,
    interfaceAddress,
    interfacePort,
    hostName: facts.hostName ?? '',
    hostLookupFailed: facts.hostLookupFailed ?? false,
    hostLookupDeferred: facts.hostLookupDeferred ?? false,
    heloName: facts.heloName ?? '',
    ident: facts.ident ?? '',
    activeHostname: Text.tainted(facts.activeHostname ?? ''),
    receivedProtocol: facts.receivedProtocol ?? '',
    authenticator: facts.hostAuth ?? '',
    authenticatedId: facts.authId ?? '',
    tls: tlsOf(facts),
    aclVariables: aclConnectionVariables,
  };
}

/** What is known of the TLS that the message came over; its certificates are not kept. */
function tlsOf({ tlsCipher, tlsPeerDn, tlsSni, tlsCertificateVerified }: SpoolFacts): TlsFacts | undefined {
  if (tlsCipher === undefined || tlsCipher === '') return undefined;
  const [version = '', , bits = '0'] = tlsCipher.split(':');
  return {
    ...noFacts,
    cipher: tlsCipher,
    bits: Number(bits),
    version,
    verified: tlsCertificateVerified ?? false,
    peerDn: tlsPeerDn ?? '',
    sni: tlsSni ?? '',
  };
}

const storedAddress = /^(?:\[([^\]]*)\](?::(\d+))?|((?:\d+\.){3}\d+|[^.]*:[^.]*)(?:\.(\d+))?)$/;

/** An address as it stands on the spool: `[1.2.3.4]:25`, `1.2.3.4.25` or `1.2.3.4`, whose port is not known and becomes 0. */
export function splitPort(text: string): readonly [address: string, port: number] {
  const [, bracketed, behindBracket, bare, behindDot] = storedAddress.exec(text) ?? [];
  return [bracketed ?? bare ?? text, Number(behindBracket ?? behindDot ?? 0)];
}

/** The first or last octets of a body. */
export function bodyPart(body: Body, limit: number, from: 'start' | 'end'): string {
  const length = Math.min(Math.max(limit, 0), body.size);
  const buffer = Buffer.allocUnsafe(length);
  const read = body.readAt(buffer, from === 'start' ? 0 : body.size - length);
  return buffer.toString('latin1', 0, read);
}

/** What a spam scanner said when the message came in; its report and its proposal are not kept. */
function spamOf({ spamScore, spamScoreInt = '', spamBar = '' }: SpoolFacts): MessageFacts['spam'] {
  if (spamScore === undefined) return undefined;
  return { score: spamScore, scoreInt: spamScoreInt, bar: spamBar, action: '', report: '' };
}

export function messageFactsOf(envelope: Envelope, body: Body): MessageFacts {
  const { facts } = envelope;
  const headers = envelope.headers.filter(({ type }) => type !== '*');
  const headerSize = headers.reduce((sum, { text }) => sum + text.length, 0);
  const headerLines = headers.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  const bodyLines = facts.bodyLineCount ?? 0;
  return {
    ...emptyMessage(envelope.sender, { uid: envelope.originatorUid, gid: envelope.originatorGid }),
    id: envelope.id,
    recipients: envelope.recipients.map(({ address }) => address),
    recipientsCount: envelope.recipients.length,
    headers,
    size: headerSize + 1 + body.size,
    bodySize: body.size,
    lineCount: headerLines + bodyLines,
    bodyLineCount: bodyLines,
    bodyZeroCount: facts.bodyZeroCount ?? 0,
    maxReceivedLineLength: facts.maxReceivedLineLength ?? 0,
    smtpUtf8: facts.smtpUtf8 ?? false,
    receivedTime: envelope.receivedTime,
    receivedCount: headers.filter(({ type }) => type === 'P').length,
    authenticatedSender: facts.authSender ?? '',
    spam: spamOf(facts),
    aclVariables: envelope.aclMessageVariables,
    body: (limit, from) => bodyPart(body, limit, from),
  };
}

/** A context for the delivery of a message. */
export function messageContext(runtime: Runtime, message: SpooledMessage, decisions: Decisions): Context {
  const context = newContext(runtime, decisions);
  context.connection = connectionOf(message.envelope);
  context.message = messageFactsOf(message.envelope, message.body);
  return context;
}
