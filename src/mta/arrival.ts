/**
 * A message that has come in whole, by whatever way: its header lines are put in order, it is made safe on the spool,
 * and logged by `arrival-log.ts`. ACLs and refusals are the business of those who call this.
 */

import type { AddedHeader } from '../acl/acl.ts';
import type { RewriteRule } from '../config/rewrite-rules.ts';
import type { ConnectionFacts, Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { lower } from '../lib/octets.ts';
import { rfc5322Date } from '../mail/date.ts';
import { type HeaderLine, headerLine, headerName } from '../mail/header-line.ts';
import type { MessageReader } from '../mail/message-reader.ts';
import type { Envelope, ReturnPart, SpooledRecipient } from '../spool/envelope.ts';
import type { NewMessage } from '../spool/new-message.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { addressOptions } from './address-options.ts';
import type { FixupPlan, Submitter } from './fixups.ts';
import { fixUp, withoutDeliveryLines } from './fixups.ts';
import { type HeaderQualification, type RewriteTools, rewriteAddress, rewriteHeaders } from './rewrite.ts';
import type { Runtime } from './runtime.ts';

/** A message whose octets are all there, not yet accepted. */
export interface Arrival {
  readonly runtime: Runtime;
  readonly connection: ConnectionFacts;
  readonly context: Context;
  readonly newMessage: NewMessage;
  readonly reader: MessageReader;
  headers: readonly HeaderLine[];
  sender: string;
  recipients: readonly SpooledRecipient[];
  /** Milliseconds since 1970, when reception began. */
  readonly begun: number;
  readonly originator: { readonly login: string; readonly uid: number; readonly gid: number };
  /** A local process handed it over. */
  readonly submitter: Submitter | undefined;
  readonly submission: FixupPlan['submission'];
  readonly suppressFixups: boolean;
  readonly qualification: HeaderQualification;
  /** The message that this one reports about. */
  readonly reference: string | undefined;
  readonly bodyType: string;
  /** RET and ENVID of the client (RFC 3461). */
  readonly returnPart?: ReturnPart | undefined;
  readonly envelopeId?: string | undefined;
  readonly smtpUtf8?: boolean | undefined;
  /** Each recipient had an answer of its own. */
  prdr?: boolean | undefined;
  /** It came by BDAT: octets of its last chunk. */
  readonly lastChunk?: number | undefined;
  /** The envelope as it came, before rewriting rules changed it. */
  given?: { readonly sender: string; readonly recipients: readonly SpooledRecipient[] };
  /** Octets and lines of the message as it came. */
  received?: { readonly size: number; readonly lineCount: number };
  /** The sender is the local caller, who did not name another. */
  readonly isOwnSender: boolean;
  /** Addresses that must not get the message (`-t` with arguments). */
  readonly nonRecipients: readonly string[];
  /** `-N`: nothing is delivered. */
  readonly dontDeliver: boolean;
  messageIdMade: boolean;
  /** received_header_text could not be expanded, which was logged. */
  lacksReceived?: boolean;
  receivedLine: HeaderLine | undefined;
}

export function rewriteTools(
  runtime: Runtime,
  id: string | undefined,
  rules: readonly RewriteRule[] = runtime.config.rewriteRules,
): RewriteTools {
  const { config, settings, logs } = runtime;
  return {
    rules,
    qualifyRecipient: settings.qualifyRecipient,
    parse: addressOptions(config),
    log: (text) => {
      if (logs.selects('address_rewrite')) logs.main(text, id);
    },
    failed: (text) => logs.panic(text, id),
  };
}

/** Rewrites the envelope and completes and rewrites the header lines; puts the Received: line in front. */
export async function prepareHeaders(arrival: Arrival): Promise<void> {
  const { runtime, context, newMessage } = arrival;
  const { config, settings } = runtime;
  arrival.received = asReceived(arrival);
  const tools = rewriteTools(runtime, newMessage.id);
  let headers: readonly HeaderLine[] = withoutDeliveryLines(arrival.headers, config);
  if (tools.rules.length > 0) await rewriteEnvelope(arrival, tools);
  if (!arrival.suppressFixups) {
    const fixed = await fixUp(
      headers,
      {
        config,
        id: newMessage.id,
        primaryHostname: settings.primaryHostname,
        qualifyDomain: settings.qualifyDomain,
        sender: arrival.sender,
        submitter: arrival.submitter,
        submission: arrival.submission,
        authenticatedId: arrival.connection.authenticatedId,
        isReport: arrival.reference !== undefined,
        panic: (text) => runtime.logs.panic(text, newMessage.id),
      },
      context,
    );
    headers = fixed.headers;
    arrival.sender = fixed.sender;
    arrival.messageIdMade = fixed.messageIdMade;
  }
  const { qualification } = arrival;
  if (tools.rules.length > 0 || qualification.sender !== undefined || qualification.recipient !== undefined) {
    headers = await rewriteHeaders(headers, qualification, tools, context);
  }
  arrival.headers = headers;
  updateFacts(arrival);
  arrival.receivedLine = await receivedLine(arrival, arrival.begun);
  arrival.headers = [arrival.receivedLine, ...headers];
  updateFacts(arrival);
}

/** Size and lines as they were received, without what was added since (Exim spec 11.9, $message_linecount). */
function asReceived({ reader }: Arrival): { readonly size: number; readonly lineCount: number } {
  const { sectionEnd, bodySize, bodyLines } = reader;
  const received = reader.headers.join('');
  return {
    size: received.length + (sectionEnd === 'blank' ? 1 : 0) + bodySize,
    lineCount: received.split('\n').length - (sectionEnd === 'none' ? 1 : 0) + bodyLines,
  };
}

async function rewriteEnvelope(arrival: Arrival, tools: RewriteTools): Promise<void> {
  const { context } = arrival;
  arrival.given = { sender: arrival.sender, recipients: arrival.recipients };
  const recipients: SpooledRecipient[] = [];
  for (const recipient of arrival.recipients) {
    const { address } = await rewriteAddress(recipient.address, 'envelope recipient', tools, context);
    recipients.push({ ...recipient, address });
  }
  arrival.recipients = recipients;
  if (arrival.sender !== '') {
    arrival.sender = (await rewriteAddress(arrival.sender, 'envelope sender', tools, context)).address;
  }
}

/** Brings the facts that expansions see up to date. */
export function updateFacts(arrival: Arrival): void {
  const { context, headers, sender, recipients, newMessage, reader, begun } = arrival;
  const { message } = context;
  if (message === undefined) return;
  const shown = headers.filter(({ type }) => type !== '*');
  Object.assign(message, {
    id: newMessage.id,
    sender,
    recipients: recipients.map(({ address }) => address),
    recipientsCount: recipients.length,
    headers: shown,
    ...asReceived(arrival),
    bodySize: reader.bodySize,
    bodyLineCount: reader.bodyLines,
    bodyZeroCount: reader.bodyZeros,
    maxReceivedLineLength: reader.longestLine,
    receivedCount: shown.filter(({ type }) => type === 'P').length,
    receivedFor: recipients.length === 1 ? (recipients[0]?.address ?? '') : '',
    receivedTime: Math.floor(begun / 1000),
  });
}

/** The Received: line: the configured text, a semicolon and the time. */
/** A message cannot be without it, even when the option makes no sense: what this server writes itself must not get lost. */
async function receivedLine(arrival: Arrival, at: number): Promise<HeaderLine> {
  const { runtime, context, newMessage } = arrival;
  const template = runtime.config.main.received_header_text;
  const expansion = await template.expand(context);
  const text = expansion.ok ? expansion.text.value : '';
  if (!expansion.ok) {
    const what = `Expansion of "${template.source}" (received_header_text) failed: ${expansion.message}`;
    runtime.logs.panic(what, newMessage.id);
    arrival.lacksReceived = true;
  }
  if (text === '') return { type: '*', text: `Received: ; ${rfc5322Date(at)}\n` };
  return { type: 'P', text: `${text};\n\t${rfc5322Date(at)}\n` };
}

/** Puts header lines that ACLs asked for in their places, and takes away those that they want gone. */
export function applyAclHeaders(arrival: Arrival, added: readonly AddedHeader[], removed: readonly string[]): void {
  if (added.length === 0 && removed.length === 0) return;
  const names = new Set(removed.map(lower));
  const own = arrival.receivedLine;
  const kept: HeaderLine[] = arrival.headers.map(
    (header): HeaderLine =>
      header !== own && names.has(lower(headerName(header.text))) ? { type: '*', text: header.text } : header,
  );
  for (const { place, text } of added) kept.splice(placeFor(place, kept), 0, headerLine(text));
  arrival.headers = kept;
  updateFacts(arrival);
}

/** Where a header line is put among those that are there already. */
function placeFor(place: AddedHeader['place'], headers: readonly HeaderLine[]): number {
  switch (place) {
    case 'at_start':
      return 0;
    case 'at_end':
      return headers.length;
    case 'after_received':
      return headers.reduce((last, { type }, i) => (type === 'P' ? i + 1 : last), 0);
    case 'at_start_rfc': {
      const isTrace = ({ type, text }: HeaderLine): boolean => type === 'P' || /^resent-/i.test(text);
      const other = headers.findIndex((header, i) => i > 0 && !isTrace(header));
      return other < 0 ? headers.length : other;
    }
  }
}

/**
 * Makes the message safe on the spool; it is then this server's to deliver. With `hold` a small message may stay in memory
 * for a first attempt: it is safe when `SpooledMessage.safe` says so.
 */
export async function accept(arrival: Arrival, frozen: boolean, hold = false): Promise<SpooledMessage> {
  const { newMessage } = arrival;
  const old = arrival.receivedLine;
  if (old !== undefined) {
    const renewed: HeaderLine = {
      type: old.type,
      text: old.text.replace(/([\t;] ?)[^\t\n;]*\n$/, (_, front) => `${front}${rfc5322Date(clock.now())}\n`),
    };
    arrival.headers = arrival.headers.map((header) => (header === old ? renewed : header));
    arrival.receivedLine = renewed;
  }
  updateFacts(arrival);
  newMessage.chooseQueue(arrival.context.queueName);
  const envelope = envelopeOf(arrival, frozen);
  return (hold ? newMessage.hold(envelope) : undefined) ?? newMessage.commit(envelope);
}

function envelopeOf(arrival: Arrival, frozen: boolean): Envelope {
  const { runtime, connection, context, reader, begun, originator, newMessage } = arrival;
  const { value: activeHostname } = connection.activeHostname;
  const { message } = context;
  const host = connection.hostAddress;
  const now = clock.now();
  const withPort = (address: string, port: number): string | undefined =>
    address === '' ? undefined : port === 0 ? address : `[${address}]:${port}`;
  const optional = (text: string): string | undefined => (text === '' ? undefined : text);
  return {
    id: newMessage.id,
    originatorLogin: originator.login,
    originatorUid: originator.uid,
    originatorGid: originator.gid,
    sender: arrival.sender,
    receivedTime: Math.floor(begun / 1000),
    warningCount: 0,
    facts: {
      receivedTimeUsec: Math.floor((begun % 1000) * 1000),
      receivedTimeComplete: `${Math.floor(now / 1000)}.${String((now % 1000) * 1000).padStart(6, '0')}`,
      heloName: optional(connection.heloName),
      hostAddress: host === '' ? undefined : `[${host}]:${connection.hostPort}`,
      hostName: optional(connection.hostName),
      hostAuth: optional(connection.authenticator),
      interfaceAddress: withPort(connection.interfaceAddress, connection.interfacePort),
      activeHostname: optional(activeHostname === runtime.settings.primaryHostname ? '' : activeHostname),
      authId: optional(connection.authenticatedId),
      authSender: optional(message?.authenticatedSender ?? ''),
      ident: optional(connection.ident),
      receivedProtocol: optional(connection.receivedProtocol),
      tlsCipher: connection.tls?.cipher,
      tlsCertificateVerified: connection.tls?.verified,
      tlsPeerDn: optional(connection.tls?.peerDn ?? ''),
      tlsSni: optional(connection.tls?.sni ?? ''),
      dsnEnvid: optional(arrival.envelopeId ?? ''),
      dsnRet: arrival.returnPart === undefined ? undefined : arrival.returnPart === 'FULL' ? 1 : 2,
      smtpUtf8: arrival.smtpUtf8,
      spamScore: message?.spam?.score,
      spamBar: message?.spam?.bar,
      spamScoreInt: message?.spam?.scoreInt,
      bodyLineCount: reader.bodyLines,
      maxReceivedLineLength: reader.longestLine,
      bodyZeroCount: reader.bodyZeros > 0 ? reader.bodyZeros : undefined,
      allowUnqualifiedRecipient: arrival.qualification.recipient !== undefined,
      allowUnqualifiedSender: arrival.qualification.sender !== undefined,
      deliverFirstTime: true,
      frozen: frozen ? Math.floor(now / 1000) : undefined,
      dontDeliver: arrival.dontDeliver,
      local: arrival.isOwnSender,
      hostLookupFailed: connection.hostLookupFailed,
      hostLookupDeferred: connection.hostLookupDeferred,
      localError: arrival.reference === undefined ? undefined : true,
    },
    aclConnectionVariables: connection.aclVariables,
    aclMessageVariables: message?.aclVariables ?? new Map(),
    otherFacts: [],
    nonRecipients: new Set(arrival.nonRecipients),
    recipients: [...arrival.recipients],
    headers: [...arrival.headers],
  };
}
