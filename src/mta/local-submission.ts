/** A message that a local program hands over on standard input (Exim spec 5: -bm, -t; 48). */

import type { AclResult } from '../acl/acl.ts';
import { emptyMessage, localConnection } from '../expand/facts.ts';
import * as clock from '../lib/clock.ts';
import { TimedOut, withDeadline } from '../lib/deadline.ts';
import { type HeaderLine, headerLine } from '../mail/header-line.ts';
import { LineEndings } from '../mail/line-endings.ts';
import { type HeaderProblem, MessageReader } from '../mail/message-reader.ts';
import { timestamp } from '../observe/main-log.ts';
import type { SpooledMessage } from '../spool/spooled-message.ts';
import { AclRunner } from './acl-runner.ts';
import { type Arrival, accept, applyAclHeaders, prepareHeaders, updateFacts } from './arrival.ts';
import { headersForLog, logArrival } from './arrival-log.ts';
import type { Submitter } from './fixups.ts';
import { FromLine, fromLineSender } from './from-line.ts';
import { examineParts } from './mime-examination.ts';
import type { SubmissionProblem } from './problem-report.ts';
import { queuedByAcl } from './queue-only.ts';
import { newContext, type Runtime } from './runtime.ts';
import { messageSizeLimit } from './size-limit.ts';
import { hasSpace } from './space.ts';
import { chooseRecipients } from './submission-recipients.ts';

export interface LocalSubmission {
  readonly input: AsyncIterable<Buffer>;
  /** Seconds within which it must have ended; 0 for ever. */
  readonly timeout: number;
  readonly caller: Submitter & { readonly uid: number; readonly gid: number };
  /** The envelope sender that was given; nothing stands for the caller. */
  readonly sender: string | undefined;
  /** Words of the command line, each perhaps a list. */
  readonly recipients: readonly string[];
  /** `-t` */
  readonly recipientsFromHeaders: boolean;
  /** A line with a single dot ends the message. */
  readonly dotEndsMessage: boolean;
  /** `-bnq` */
  readonly qualify: boolean;
  readonly suppressFixups: boolean;
  readonly dontDeliver: boolean;
  /** What `-oM…` says of the origin. */
  readonly origin: Partial<{
    readonly hostAddress: string;
    readonly hostPort: number;
    readonly hostName: string;
    readonly ident: string;
    readonly protocol: string;
    readonly authenticatedId: string;
    readonly authenticatedSender: string;
    readonly authenticator: string;
  }>;
  readonly reference: string | undefined;
  /** Asked when only some recipients are addresses: whether the message goes to those. */
  acceptsRest(refusal: Refusal): Promise<boolean>;
}

export interface Refusal {
  readonly outcome: 'refused';
  readonly problem: SubmissionProblem;
  readonly id: string;
  /** Who is to be told. */
  readonly sender: string;
  /** Writes what came in so far. */
  copy(write: (piece: Buffer) => Promise<void> | undefined): Promise<void>;
  /** To be called when it is of no use any more. */
  discard(): void;
}

export type SubmissionResult =
  | {
      readonly outcome: 'accepted';
      readonly message: SpooledMessage;
      readonly queueOnly: boolean;
    }
  | Refusal
  | { readonly outcome: 'discarded' }
  /** The program did not hand the whole message over in time. */
  | { readonly outcome: 'timed out' }
  /** message_size_limit or received_header_text makes no sense, which the log tells. */
  | { readonly outcome: 'misconfigured' }
  /** The disks are full. */
  | { readonly outcome: 'no space' };

const headerProblems: Readonly<Record<HeaderProblem, string>> = {
  headers: 'ridiculously long message header',
  'header line': 'overlong message header line',
};

export async function submitLocally(request: LocalSubmission, runtime: Runtime): Promise<SubmissionResult> {
  const { caller, origin } = request;
  const { config, settings, spool } = runtime;
  const begun = clock.now();
  const context = newContext(runtime);
  const acls = new AclRunner(runtime, context, {
    delay: pause,
    flush: async () => undefined,
    allowUnqualifiedSenders: true,
    isTest: false,
    makesCallouts: true,
  });
  const own = request.sender === undefined;
  const ownSender = `${caller.login}@${settings.qualifyDomain}`;
  const connection = {
    ...localConnection(origin.ident ?? caller.login),
    hostAddress: origin.hostAddress ?? '',
    hostPort: origin.hostPort ?? 0,
    hostName: origin.hostName ?? '',
    receivedProtocol: origin.protocol ?? 'local',
    authenticator: origin.authenticator ?? '',
    authenticatedId: origin.authenticatedId ?? (own ? caller.login : ''),
  };
  context.connection = connection;
  context.message = emptyMessage(request.sender ?? ownSender, caller);
  context.message.authenticatedSender = origin.authenticatedSender ?? (own ? ownSender : '');
  if (!hasSpace(runtime, 0)) return { outcome: 'no space' };
  await acls.run('non-SMTP-start', config.main.acl_not_smtp_start);
  const limit = await messageSizeLimit(runtime, context, 'process');
  if (limit === undefined) return { outcome: 'misconfigured' };
  const newMessage = spool.named(context.queueName).begin();
  const reader = new MessageReader(
    { headers: config.main.header_maxsize, headerLine: config.main.header_line_maxsize },
    (piece) => newMessage.write(piece),
  );
  const fromLine = new FromLine(config.main.uucp_from_pattern);
  let tooBig: number | undefined;
  const refuse = (problem: SubmissionProblem, headers: readonly HeaderLine[], sender: string): Refusal => ({
    outcome: 'refused',
    problem,
    id: newMessage.id,
    sender,
    async copy(write) {
      const text = headers.filter(({ type }) => type !== '*').map((header) => header.text);
      await write(Buffer.from(`${text.join('')}\n`, 'latin1'));
      await newMessage.readBack(write);
    },
    discard: () => newMessage.abandon(),
  });
  try {
    const endings = new LineEndings(request.dotEndsMessage);
    let size = 0;
    for await (const chunk of withDeadline(request.input, request.timeout * 1000)) {
      const octets = fromLine.take(endings.convert(chunk));
      size += octets.length;
      if (limit > 0 && size > limit) {
        tooBig = size;
        break;
      }
      await reader.push(octets);
      if (endings.ended || reader.problem !== undefined) break;
    }
    await reader.push(fromLine.take(endings.end()));
    await reader.push(fromLine.end());
    await reader.end();
    const headers = reader.headers.map(headerLine);
    const named = own && caller.isTrusted ? await fromLineSender(fromLine, context, runtime) : undefined;
    const sender = request.sender ?? named ?? ownSender;
    if (tooBig !== undefined) {
      runtime.logs.rejectFor(
        'size_reject',
        `rejected from <${sender}> U=${caller.login}: message too big: read=${tooBig} max=${limit}`,
        newMessage.id,
      );
      return refuse({ kind: 'too big', limit }, headers, sender);
    }
    if (reader.problem !== undefined) {
      const limit = reader.problem === 'headers' ? config.main.header_maxsize : config.main.header_line_maxsize;
      runtime.logs.main(
        `${headerProblems[reader.problem]} received from ${caller.login} (more than ${limit} characters): message abandoned`,
      );
      const what = reader.problem === 'headers' ? 'header' : 'header line';
      const message = `message ${what} longer than ${limit} characters received: message not accepted`;
      return refuse({ kind: 'bad headers', message }, headers, sender);
    }
    const qualifier = request.qualify ? settings.qualifyRecipient : undefined;
    const chosen = chooseRecipients(request, headers, qualifier, runtime);
    const { recipients_max: most } = config.main;
    if (most > 0 && chosen.good.length > most && !request.recipientsFromHeaders) {
      return refuse({ kind: 'too many recipients' }, headers, sender);
    }
    if (chosen.problem?.kind === 'bad recipient') {
      // the message was not looked at: all of it is text
      return refuse(chosen.problem, [headerLine('\n'), ...headers], sender);
    }
    // the name is that of the caller and of nobody else
    const submitter: Submitter = named === undefined ? caller : { ...caller, fullName: '' };
    const arrival: Arrival = {
      runtime,
      connection,
      context,
      newMessage,
      reader,
      headers: chosen.headers,
      sender,
      recipients: chosen.good.map((address) => ({ address })),
      begun,
      originator: caller,
      // what comes from a host is left as it is
      submitter: origin.hostAddress === undefined ? submitter : undefined,
      isOwnSender: own,
      submission: undefined,
      suppressFixups: request.suppressFixups || acls.requests.controls.suppressLocalFixups,
      qualification: request.qualify
        ? { sender: settings.qualifyDomain, recipient: settings.qualifyRecipient }
        : { sender: undefined, recipient: undefined },
      reference: request.reference,
      bodyType: '',
      messageIdMade: false,
      receivedLine: undefined,
      nonRecipients: chosen.excluded,
      dontDeliver: request.dontDeliver,
    };
    await prepareHeaders(arrival);
    if (arrival.lacksReceived) {
      newMessage.abandon();
      return { outcome: 'misconfigured' };
    }
    if (chosen.problem !== undefined) {
      const refusal = refuse(chosen.problem, arrival.headers.slice(1), arrival.sender);
      if (chosen.good.length === 0 || !(await request.acceptsRest(refusal))) return refusal;
    }
    const { requests } = acls;
    const verdict = await acls.withMessage(arrival, () => examine(arrival, acls));
    if (verdict !== undefined) {
      const { phase, result } = verdict;
      const reason = result.logMessage === undefined ? '' : `: ${result.logMessage}`;
      if (result.outcome !== 'discard') {
        const line = `F=<${arrival.sender}> rejected by ${phase} ACL${reason}`;
        runtime.logs.write(result.rejectTargets, line, newMessage.id, headersForLog(arrival));
        const said = result.userMessage || 'local configuration problem';
        return refuse({ kind: 'refused', message: said }, arrival.headers.slice(1), arrival.sender);
      }
      applyAclHeaders(arrival, requests.addedHeaders, requests.removedHeaders);
      updateFacts(arrival);
      return discard(arrival, phase, phase === 'MIME' ? '' : reason);
    }
    applyAclHeaders(arrival, requests.addedHeaders, requests.removedHeaders);
    if (arrival.recipients.length === 0) return discard(arrival, 'RCPT', '');
    const message = await accept(arrival, requests.controls.freeze);
    logArrival(arrival, message, () => timestamp(clock.now()));
    if (requests.controls.freeze) runtime.logs.main('frozen by ACL', newMessage.id);
    if (requests.controls.queueOnly) runtime.logs.main(queuedByAcl, newMessage.id);
    return { outcome: 'accepted', message, queueOnly: requests.controls.queueOnly };
  } catch (error) {
    newMessage.abandon();
    if (!(error instanceof TimedOut)) throw error;
    const id = reader.standing === '' ? newMessage.id : undefined;
    runtime.logs.main('timed out while reading local message', id);
    return { outcome: 'timed out' };
  }
}

/** Nobody gets the message; the log tells it as if an ACL had said so, even when there were no recipients at all. */
function discard(arrival: Arrival, phase: Objection['phase'] | 'RCPT', remark: string): SubmissionResult {
  const { runtime, newMessage } = arrival;
  logArrival(arrival, undefined, () => timestamp(clock.now()));
  newMessage.abandon();
  runtime.logs.main(`=> blackhole (${phase} ACL discarded recipients)${remark}`, newMessage.id);
  runtime.logs.main('Completed', newMessage.id);
  return { outcome: 'discarded' };
}

/** What the ACLs for a whole message have against it, if anything. */
async function examine(arrival: Arrival, acls: AclRunner): Promise<Objection | undefined> {
  const { requests } = acls;
  const { main } = arrival.runtime.config;
  const part = await examineParts(main.acl_not_smtp_mime, arrival, acls);
  if (part !== undefined && part.outcome !== 'accept') return { phase: 'MIME', result: part };
  applyAclHeaders(arrival, requests.addedHeaders, requests.removedHeaders);
  requests.addedHeaders.length = 0;
  requests.removedHeaders.length = 0;
  const whole = await acls.run('non-SMTP', main.acl_not_smtp);
  return whole === undefined || whole.outcome === 'accept' ? undefined : { phase: 'non-SMTP', result: whole };
}

interface Objection {
  readonly phase: 'MIME' | 'non-SMTP';
  readonly result: AclResult;
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
