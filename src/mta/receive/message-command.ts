/** DATA: the message itself, from its first octet to the answer (RFC 5321 §4.1.1.4; Exim spec 44.11 - 44.13, 48). */

import type { AclResult, Phase } from '../../acl/acl.ts';
import * as clock from '../../lib/clock.ts';
import { errorCode, errorText } from '../../lib/errno.ts';
import { headerLine } from '../../mail/header-line.ts';
import { MessageReader } from '../../mail/message-reader.ts';
import { timestamp } from '../../observe/main-log.ts';
import { userWithId } from '../../safe/users.ts';
import type { DataEnd, ReadData, Reply } from '../../smtp/server/policy.ts';
import type { NewMessage } from '../../spool/new-message.ts';
import type { AclRunner } from '../acl-runner.ts';
import { type Arrival, accept, applyAclHeaders, prepareHeaders, updateFacts } from '../arrival.ts';
import { headersForLog, logArrival } from '../arrival-log.ts';
import { FromLine, fromLineSender } from '../from-line.ts';
import { examineParts } from '../mime-examination.ts';
import { consent, refusal, wrapped } from './acl-reply.ts';
import { judgeSignatures, type Proofs, proofsFor } from './dkim.ts';
import { remarkOf } from './mail-command.ts';
import { type EachAnswered, examineEach } from './prdr.ts';
import { queuesOnly } from './queueing.ts';
import type { Reception, Transaction } from './reception.ts';

/** Before the message: what the ACL says, or the invitation to send it. */
export async function predata(reception: Reception): Promise<Reply> {
  const { acls, runtime, client, transaction } = reception;
  if (transaction?.hasTooMany) return { code: '554', text: 'Too many recipients', endsTransaction: true };
  const result = client.isBatch ? undefined : await acls.run('PREDATA', runtime.config.main.acl_smtp_predata);
  if (result === undefined || result.outcome === 'accept') {
    return consent(result, '354', 'Enter message, ending with "." on a line by itself', reception);
  }
  return refusal(result, 'PREDATA', 'DATA', reception);
}

/** Reads the message, decides about it, and makes it safe. */
export async function receiveMessage(read: ReadData, reception: Reception): Promise<Reply> {
  const { runtime, transaction } = reception;
  if (transaction === undefined) return { code: '503', text: 'valid RCPT command must precede DATA' };
  const newMessage = runtime.spool.named(reception.context.queueName).begin();
  try {
    return await receive(read, newMessage, transaction, reception);
  } catch (error) {
    newMessage.abandon();
    runtime.logs.panic(`error while receiving a message from${reception.fields}: ${errorText(error)}`, newMessage.id);
    const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '');
    return { code: '452', text: isFull ? 'space shortage, please try later' : 'Error while writing spool file' };
  }
}

async function receive(
  read: ReadData,
  newMessage: NewMessage,
  transaction: Transaction,
  reception: Reception,
): Promise<Reply> {
  const { runtime, sizeLimit } = reception;
  const { main } = runtime.config;
  const begun = clock.now();
  let proofs: Proofs | 'unknown' | undefined = 'unknown';
  const reader: MessageReader = new MessageReader(
    { headers: main.header_maxsize, headerLine: main.header_line_maxsize },
    (piece) => {
      if (proofs === 'unknown') proofs = proofsFor(reader.headers, reception);
      proofs?.bodies.take(piece);
      return newMessage.write(piece);
    },
  );
  const fromLine = (await mayBeginWithFromLine(reception)) ? new FromLine(main.uucp_from_pattern) : undefined;
  let size = 0;
  let failure: { readonly error: unknown } | undefined;
  const take = async (octets: Buffer): Promise<void> => {
    try {
      await reader.push(fromLine?.take(octets) ?? octets);
    } catch (error) {
      failure = { error };
    }
  };
  const isTooBig = (): boolean => sizeLimit > 0 && size > sizeLimit;
  let bareHeader = false;
  const end = await read({
    take(octets) {
      const room = sizeLimit > 0 ? Math.max(sizeLimit - size, 0) : octets.length;
      size += octets.length;
      // what cannot be kept is read to its end and dropped: nothing of a message may be taken for commands
      return failure !== undefined || room === 0 ? undefined : take(octets.subarray(0, room));
    },
    isRefused(bareLine) {
      bareHeader = bareLine && reader.headers.length > 0;
      return failure !== undefined || isTooBig() || bareHeader || reader.problem !== undefined;
    },
  });
  if (failure !== undefined) throw failure.error;
  if (end.kind === 'complete' && !bareHeader) {
    if (fromLine !== undefined) await reader.push(fromLine.end());
    await reader.end();
  }
  const fault = faultOf(end, reader, newMessage.id, transaction, reception);
  if (fault !== undefined) {
    newMessage.abandon();
    return fault;
  }
  const lastChunk = end.kind === 'complete' ? end.lastChunk : undefined;
  const arrival = makeArrival(newMessage, reader, begun, transaction, reception, lastChunk);
  const named = fromLine === undefined ? undefined : await fromLineSender(fromLine, reception.context, runtime);
  if (named !== undefined && reception.client.caller?.isTrusted !== false) arrival.sender = named;
  if (bareHeader) return refuseBareHeader(arrival, reception);
  if (isTooBig()) return refuseSize(arrival, size, reception);
  return reception.acls.withMessage(arrival, () =>
    decide(arrival, proofs === 'unknown' ? proofsFor(reader.headers, reception) : proofs, transaction, reception),
  );
}

/** Whether a line of a mailbox file in front of the header lines is overlooked (Exim spec 14, ignore_fromline_hosts). */
async function mayBeginWithFromLine(reception: Reception): Promise<boolean> {
  const { ignore_fromline_hosts: hosts, ignore_fromline_local: local } = reception.runtime.config.main;
  return reception.connection.hostAddress === '' ? local : reception.isIn(hosts);
}

/** A message by BDAT whose first header line ends with LF alone (Exim's answer). */
function refuseBareHeader(arrival: Arrival, { runtime, fields }: Reception): Reply {
  arrival.newMessage.abandon();
  const line = `rejected from <${arrival.sender}>${fields}: Non-CRLF-terminated header, under CHUNKING: message abandoned`;
  runtime.logs.reject(line, undefined, headersForLog(arrival));
  return { code: '552', text: 'Message header not CRLF terminated' };
}

/** The message is not kept, but the reject log shows its header lines, as far as they were read. */
async function refuseSize(arrival: Arrival, size: number, { runtime, fields, sizeLimit }: Reception): Promise<Reply> {
  const { newMessage, sender } = arrival;
  newMessage.abandon();
  await prepareHeaders(arrival);
  arrival.headers = arrival.headers.filter((header) => header !== arrival.receivedLine);
  const line = `rejected from <${sender}>${fields}: message too big: read=${size} max=${sizeLimit}`;
  runtime.logs.rejectFor('size_reject', line, newMessage.id, headersForLog(arrival));
  return { code: '552', text: 'Message size exceeds maximum permitted' };
}

/** What is wrong with a message before anybody looks into it. */
function faultOf(
  end: DataEnd,
  reader: MessageReader,
  id: string,
  { sender }: Transaction,
  { runtime, otherSide, host, name, fields, hostname }: Reception,
): Reply | undefined {
  const { logs, config } = runtime;
  const { header_maxsize: headersLimit, header_line_maxsize: lineLimit } = config.main;
  if (end.kind === 'lost') {
    if (logs.selects('lost_incoming_connection'))
      logs.main(`SMTP connection from ${otherSide} lost while reading message data${reader.standing}`);
    return { code: '421', text: 'Lost incoming connection', close: true };
  }
  if (end.kind === 'timeout') {
    logs.main(`SMTP data timeout (message abandoned) on connection from ${name} F=<${sender}>`);
    return { code: '421', text: `${hostname} SMTP incoming data timeout - closing connection.`, close: true };
  }
  // the client knows that it took the message back
  if (end.kind === 'reset') return { code: '250', text: 'Reset OK' };
  if (reader.problem === 'headers') {
    const limit = `(more than ${headersLimit} characters)`;
    logs.main(`ridiculously long message header received from ${host || otherSide} ${limit}: message abandoned`);
    return { code: '552', text: 'Message header is ridiculously long' };
  }
  if (reader.problem === 'header line') {
    const limit = `(more than ${lineLimit} characters)`;
    logs.main(`overlong message header line received from ${host || otherSide} ${limit}: message abandoned`);
    return { code: '552', text: 'A message header line is too long' };
  }
  if (end.kind !== 'complete' || end.fault === undefined) return undefined;
  logs.reject(`rejected from <${sender}>${fields}: ${end.fault} in message data`, id);
  return { code: '554', text: `Message refused: ${end.fault} in message data (RFC 5321 2.3.8)` };
}

function makeArrival(
  newMessage: NewMessage,
  reader: MessageReader,
  begun: number,
  { sender, recipients, notifications, bodyType, returnPart, envelopeId, smtpUtf8 }: Transaction,
  reception: Reception,
  lastChunk: number | undefined,
): Arrival {
  const { runtime, connection, context, client, acls } = reception;
  const { caller } = client;
  const { controls } = acls.requests;
  const { settings, user } = runtime;
  const { submission } = controls;
  const { mayLackDomain } = reception;
  return {
    runtime,
    connection,
    context,
    newMessage,
    reader,
    headers: reader.headers.map(headerLine),
    sender,
    recipients: recipients.map((address, i) => ({ address, notification: notifications[i] })),
    begun,
    originator: caller ?? client.originator ?? { login: userWithId(user.uid)?.name ?? String(user.uid), ...user },
    submitter: caller,
    submission:
      submission === undefined
        ? undefined
        : { domain: submission.domain, name: submission.name, senderRetain: submission.sender === 'retain' },
    suppressFixups: client.suppressFixups || controls.suppressLocalFixups,
    qualification: {
      sender: mayLackDomain.sender ? settings.qualifyDomain : undefined,
      recipient: mayLackDomain.recipient ? settings.qualifyRecipient : undefined,
    },
    reference: undefined,
    bodyType,
    lastChunk,
    returnPart,
    envelopeId,
    smtpUtf8,
    isOwnSender: false,
    nonRecipients: [],
    dontDeliver: client.dontDeliver,
    messageIdMade: false,
    receivedLine: undefined,
  };
}

async function decide(
  arrival: Arrival,
  proofs: Proofs | undefined,
  transaction: Transaction,
  reception: Reception,
): Promise<Reply> {
  const { acls, runtime, client } = reception;
  const { main } = runtime.config;
  let { discardedBy } = transaction;
  await prepareHeaders(arrival);
  if (arrival.lacksReceived) {
    arrival.newMessage.abandon();
    return { code: '421', text: 'Unexpected failure, please try later', isFarewell: true };
  }
  acls.requests.arc = proofs?.arc;
  const signed = await judgeSignatures(proofs?.dkim, reception);
  if (signed?.outcome === 'discard') {
    discardedBy = { phase: 'DKIM', remark: '' };
    arrival.recipients = [];
  } else if (signed !== undefined) {
    const reply = refusal(signed, 'DKIM', 'DKIM ', reception, headersForLog(arrival));
    arrival.newMessage.abandon();
    return reply;
  }
  let result: AclResult | undefined;
  let each: EachAnswered | undefined;
  // what ACLs about the message ask for is not for a host that was to have it before
  let { headers } = arrival;
  const isLookedAt = discardedBy === undefined || arrival.recipients.length > 0;
  if (isLookedAt) {
    takeHeaders(arrival, acls);
    ({ headers } = arrival);
    result = await examineParts(client.isBatch ? main.acl_not_smtp_mime : main.acl_smtp_mime, arrival, acls);
    if (result !== undefined && isRefused(result))
      return refuse(result, 'MIME', 'during MIME ACL checks', arrival, reception);
    if (result?.outcome === 'discard') discardedBy = { phase: 'MIME', remark: '' };
  }
  if (transaction.prdr && arrival.recipients.length > 1 && result?.outcome !== 'discard') {
    if (reception.context.message) reception.context.message.prdrRequested = true;
    arrival.prdr = true;
    each = await examineEach(arrival, reception);
    arrival.recipients = each.accepted;
    if (each.accepted.length === 0) {
      arrival.newMessage.abandon();
      return { ...each.last, before: each.replies };
    }
  }
  if (isLookedAt && result?.outcome !== 'discard') {
    takeHeaders(arrival, acls);
    result = client.isBatch
      ? await acls.run('non-SMTP', main.acl_not_smtp)
      : await acls.run('DATA', main.acl_smtp_data);
    if (result?.outcome === 'discard') discardedBy = { phase: 'DATA', remark: remarkOf(result.logMessage) };
  }
  applyAclHeaders(arrival, acls.requests.addedHeaders, acls.requests.removedHeaders);
  if (result !== undefined && isRefused(result)) {
    return { ...refuse(result, 'DATA', 'after DATA', arrival, reception), before: each?.replies };
  }
  // the MIME ACL's text is for the log
  const own = result?.outcome === 'discard' && discardedBy?.phase !== 'DATA' ? undefined : result;
  const fake = acls.requests.controls.fakeReject;
  const final =
    fake === undefined
      ? (each?.last ?? consent(own, '250', accepted(arrival), reception))
      : { code: fake.code === '5' ? '550' : '450', text: wrapped(fake.text) };
  const reply: Reply = { ...final, before: each?.replies };
  const mark = fake?.code === '5' ? '(=' : '<=';
  const isFakeOrEach = fake !== undefined || each !== undefined;
  if (result?.outcome === 'discard' || arrival.recipients.length === 0) {
    const { phase, remark } = discardedBy ?? { phase: 'RCPT', remark: '' };
    discard(arrival, mark, phase, phase === 'DATA' ? remark : '');
  } else if (acls.requests.controls.cutthrough === undefined || isFakeOrEach) await keep(arrival, mark, reception);
  else return (await passThrough(arrival, headers, reply, reception)) ?? reply;
  return reply;
}

/** Hands the message to the host that waits for it (control = cutthrough_delivery); its own answer, where that counts. */
async function passThrough(
  arrival: Arrival,
  headers: Arrival['headers'],
  reply: Reply,
  reception: Reception,
): Promise<Reply | undefined> {
  const { handOver } = await import('./cutthrough-message.ts');
  const passed = await handOver(arrival, headers, reception);
  if (passed.outcome === 'refused') {
    arrival.newMessage.abandon();
    return passed.reply;
  }
  if (passed.outcome === 'kept') {
    await keep(arrival, '<=', reception, passed.waits);
    return undefined;
  }
  reception.accepted++;
  logArrival(arrival, undefined, () => timestamp(clock.now()), '<=');
  arrival.runtime.logs.main('Completed', arrival.newMessage.id);
  arrival.newMessage.abandon();
  return reply;
}

const isRefused = ({ outcome }: AclResult): boolean => outcome !== 'accept' && outcome !== 'discard';

function refuse(result: AclResult, phase: Phase, what: string, arrival: Arrival, reception: Reception): Reply {
  const reply = refusal(result, phase, what, reception, headersForLog(arrival));
  arrival.newMessage.abandon();
  return reply;
}

/** Puts in the header lines that ACLs have asked for so far, where those that follow see them. */
function takeHeaders(arrival: Arrival, { requests }: AclRunner): void {
  applyAclHeaders(arrival, requests.addedHeaders, requests.removedHeaders);
  requests.addedHeaders.length = 0;
  requests.removedHeaders.length = 0;
}

/** The answer of success. */
function accepted({ newMessage, lastChunk, received }: Arrival): string {
  const total = (received?.size ?? 0) + (received?.lineCount ?? 0);
  const told = lastChunk === undefined ? '' : ` ${lastChunk} byte chunk, total ${total}\n`;
  return `${told}OK id=${newMessage.id}`;
}

/** Logs a message that nobody gets. */
function discard(arrival: Arrival, mark: '<=' | '(=', phase: string, remark: string): void {
  const { runtime, newMessage } = arrival;
  updateFacts(arrival);
  logArrival(arrival, undefined, () => timestamp(clock.now()), mark);
  runtime.logs.main(`=> blackhole (${phase} ACL discarded recipients)${remark}`, newMessage.id);
  runtime.logs.main('Completed', newMessage.id);
  newMessage.abandon();
}

/** Puts the message on the queue; it is then ours to deliver. */
async function keep(arrival: Arrival, mark: '<=' | '(=', reception: Reception, waits = false): Promise<void> {
  const { runtime, acls, tools, client } = reception;
  const { controls } = acls.requests;
  reception.accepted++;
  if (client.isTest) {
    updateFacts(arrival);
    logArrival(arrival, undefined, () => timestamp(clock.now()), mark);
    if (controls.freeze) runtime.logs.main('frozen by ACL', arrival.newMessage.id);
    arrival.newMessage.abandon();
    return;
  }
  const message = await accept(arrival, controls.freeze, tools.holds && !controls.freeze);
  logArrival(arrival, message, () => timestamp(clock.now()), mark);
  if (controls.freeze) runtime.logs.main('frozen by ACL', message.id);
  const queueOnly = waits || controls.freeze || (await queuesOnly(reception, message.id));
  await tools.accepted(message, queueOnly, await acls.takeHeld());
}
