/** A message that a local program hands over on its standard output (Exim spec 5: -bm, -t; 48). */

import type { Context } from '../expand/context.ts';
import * as clock from '../lib/clock.ts';
import { lower, trimEnd } from '../lib/octets.ts';
import { regex } from '../lib/regex.ts';
import { parseOptionInteger } from '../lib/sizes.ts';
import { addressItems, parseAddress, splitAddress, splitAddressList } from '../mail/address.ts';
import { type HeaderLine, headerBody, headerLine, headerName } from '../mail/header-line.ts';
import { LineEndings } from '../mail/line-endings.ts';
import { MessageReader } from '../mail/message-reader.ts';
import { timestamp } from '../observe/main-log.ts';
import type { SpooledMessage } from '../spool/spool.ts';
import { AclRunner } from './acl-runner.ts';
import { type Arrival, accept, applyAclHeaders, logArrival, prepareHeaders } from './arrival.ts';
import { emptyMessage, localConnection } from './facts.ts';
import type { Submitter } from './fixups.ts';
import type { BadAddress, SubmissionProblem } from './problem-report.ts';
import { newContext, type Runtime } from './runtime.ts';

export interface LocalSubmission {
  readonly input: AsyncIterable<Buffer>;
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
    readonly hostName: string;
    readonly ident: string;
    readonly protocol: string;
    readonly authenticatedId: string;
    readonly authenticatedSender: string;
    readonly authenticator: string;
  }>;
  readonly reference: string | undefined;
}

export type SubmissionResult =
  | {
      readonly outcome: 'accepted';
      readonly message: SpooledMessage;
      readonly queueOnly: boolean;
      /** Taken, but not for all of the recipients. */
      readonly problem: SubmissionProblem | undefined;
    }
  | {
      readonly outcome: 'refused';
      readonly problem: SubmissionProblem;
      readonly id: string;
      /** Who is to be told. */
      readonly sender: string;
      /** Writes what came in so far. */
      copy(write: (piece: Buffer) => Promise<void> | undefined): Promise<void>;
    }
  | { readonly outcome: 'discarded' };

interface Recipients {
  readonly good: readonly string[];
  readonly bad: readonly BadAddress[];
}

/** The addresses in words of the command line. */
function parseRecipients(words: readonly string[], qualifier: string | undefined, runtime: Runtime): Recipients {
  const good: string[] = [];
  const bad: BadAddress[] = [];
  const options = { allowDomainLiterals: runtime.config.main.allow_domain_literals };
  for (const word of words) {
    for (const item of splitAddressList(word)) {
      const parsed = parseAddress(item, options);
      if ('error' in parsed) bad.push({ text: item, reason: parsed.error });
      else if (parsed.domain !== undefined) good.push(parsed.address);
      else if (qualifier !== undefined) good.push(`${parsed.address}@${qualifier}`);
      else bad.push({ text: item, reason: 'unqualified recipient address not allowed' });
    }
  }
  return { good, bad };
}

/** Recipients from To:, Cc: and Bcc:, or from their Resent- forms if there are any. */
function headerRecipients(headers: readonly HeaderLine[], qualifier: string | undefined, runtime: Runtime): Recipients {
  const resent = headers.some(({ text }) => /^resent-/i.test(text));
  const names = ['to', 'cc', 'bcc'].map((name) => (resent ? `resent-${name}` : name));
  const good: string[] = [];
  const bad: BadAddress[] = [];
  const options = { allowDomainLiterals: runtime.config.main.allow_domain_literals };
  for (const { text } of headers) {
    if (!names.includes(lower(headerName(text)))) continue;
    const body = headerBody(text);
    for (const { start, end } of addressItems(body)) {
      const parsed = parseAddress(body.slice(start, end).replace(/\n[ \t]*/g, ' '), options);
      if ('error' in parsed)
        bad.push({ text: trimEnd(body.slice(start).replace(/\n[ \t]*/g, ' ')), reason: parsed.error });
      else if (parsed.address === '') continue;
      else if (parsed.domain !== undefined) good.push(parsed.address);
      else if (qualifier !== undefined) good.push(`${parsed.address}@${qualifier}`);
      else bad.push({ text: parsed.address, reason: 'unqualified recipient address not allowed' });
    }
  }
  return { good, bad };
}

/** Each recipient once; the domain's case does not matter. */
export function uniqueRecipients(recipients: readonly string[]): string[] {
  const seen = new Set<string>();
  return recipients.filter((recipient) => {
    const { localPart, domain } = splitAddress(recipient);
    const key = `${localPart}@${lower(domain)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** `From sender date` in front of the header lines, as UUCP and mailbox files have it (Exim spec 48.4). */
class FromLine {
  readonly #pattern: string;
  #done = false;
  #held = '';
  sender: string | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** The octets without the line. */
  take(chunk: Buffer): Buffer {
    if (this.#done) return chunk;
    this.#held += chunk.toString('latin1');
    const end = this.#held.indexOf('\n');
    const mayBe = this.#held.startsWith('From ') || 'From '.startsWith(this.#held.slice(0, 5));
    if (mayBe && end < 0 && this.#held.length < 4096) return Buffer.alloc(0);
    this.#done = true;
    const line = end < 0 ? this.#held : this.#held.slice(0, end);
    const found = mayBe ? regex(this.#pattern).match(line) : undefined;
    if (found !== undefined) {
      this.sender = found.groups[1] ?? '';
      this.#held = this.#held.slice(end + 1);
    }
    return Buffer.from(this.#held, 'latin1');
  }

  end(): Buffer {
    return this.#done ? Buffer.alloc(0) : Buffer.from(this.#held, 'latin1');
  }
}

/** message_size_limit, in octets; 0 for none. */
export async function messageSizeLimit(runtime: Runtime, context: Context): Promise<number> {
  const template = runtime.config.main.message_size_limit;
  const expansion = await template.expand(context);
  const limit = expansion.ok ? parseOptionInteger(expansion.text.value) : undefined;
  if (limit === undefined) {
    runtime.logs.panic(
      `unable to expand message_size_limit: ${expansion.ok ? `"${expansion.text.value}" is not a number` : expansion.message}`,
    );
  }
  return limit ?? 0;
}

export async function submitLocally(request: LocalSubmission, runtime: Runtime): Promise<SubmissionResult> {
  const { caller, origin } = request;
  const { config, settings, spool } = runtime;
  const begun = clock.now();
  const context = newContext(runtime);
  const acls = new AclRunner(runtime, context, { delay: pause, allowUnqualifiedSenders: true });
  const own = request.sender === undefined;
  const ownSender = `${caller.login}@${settings.qualifyDomain}`;
  const connection = {
    ...localConnection(origin.ident ?? caller.login),
    hostAddress: origin.hostAddress ?? '',
    hostName: origin.hostName ?? '',
    receivedProtocol: origin.protocol ?? 'local',
    authenticator: origin.authenticator ?? '',
    authenticatedId: origin.authenticatedId ?? (own ? caller.login : ''),
  };
  context.connection = connection;
  context.message = emptyMessage(request.sender ?? ownSender, caller);
  context.message.authenticatedSender = origin.authenticatedSender ?? (own ? ownSender : '');
  const newMessage = spool.begin();
  const limit = await messageSizeLimit(runtime, context);
  const reader = new MessageReader(
    { headers: config.main.header_maxsize, headerLine: config.main.header_line_maxsize },
    (piece) => newMessage.write(piece),
  );
  const fromLine = new FromLine(config.main.uucp_from_pattern);
  let tooBig: number | undefined;
  const refuse = (problem: SubmissionProblem, headers: readonly HeaderLine[], sender: string): SubmissionResult => ({
    outcome: 'refused',
    problem,
    id: newMessage.id,
    sender,
    async copy(write) {
      const text = headers.filter(({ type }) => type !== '*').map((header) => header.text);
      await write(Buffer.from(`${text.join('')}\n`, 'latin1'));
      await newMessage.readBack(write);
      newMessage.abandon();
    },
  });
  try {
    await acls.run('non-SMTP-start', config.main.acl_not_smtp_start);
    const endings = new LineEndings(request.dotEndsMessage);
    let size = 0;
    for await (const chunk of request.input) {
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
    const sender =
      request.sender ?? (caller.isTrusted ? await uucpSender(fromLine.sender, runtime) : undefined) ?? ownSender;
    if (tooBig !== undefined) {
      runtime.logs.reject(
        `rejected from <${sender}> U=${caller.login}: message too big: read=${tooBig} max=${limit}`,
        newMessage.id,
      );
      return refuse({ kind: 'too big', limit }, headers, sender);
    }
    if (reader.problem !== undefined) {
      runtime.logs.reject(`rejected from <${sender}> U=${caller.login}: ${reader.problem}`, newMessage.id);
      return refuse({ kind: 'bad headers', message: reader.problem }, headers, sender);
    }
    const qualifier = request.qualify ? settings.qualifyRecipient : undefined;
    const chosen = chooseRecipients(request, headers, qualifier, runtime);
    if (chosen.problem !== undefined && chosen.good.length === 0) return refuse(chosen.problem, headers, sender);
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
      submitter: caller,
      isOwnSender: own,
      submission: undefined,
      suppressFixups: request.suppressFixups,
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
    const verdict = await acls.run('non-SMTP', config.main.acl_not_smtp);
    const { requests } = acls;
    if (verdict !== undefined && verdict.outcome !== 'accept' && verdict.outcome !== 'discard') {
      const reason = verdict.logMessage === '' ? '' : `: ${verdict.logMessage}`;
      acls.log(verdict.rejectTargets, `F=<${arrival.sender}> rejected by non-SMTP ACL${reason}`);
      const said = verdict.userMessage === '' ? 'Administrative prohibition' : verdict.userMessage;
      return refuse({ kind: 'refused', message: said }, arrival.headers.slice(1), arrival.sender);
    }
    if (verdict?.outcome === 'discard') {
      newMessage.abandon();
      runtime.logs.main(`=> blackhole (non-SMTP ACL discarded recipients)`, newMessage.id);
      return { outcome: 'discarded' };
    }
    applyAclHeaders(arrival, requests.addedHeaders, requests.removedHeaders);
    const message = await accept(arrival, requests.controls.freeze);
    logArrival(arrival, message, () => timestamp(clock.now()));
    return { outcome: 'accepted', message, queueOnly: requests.controls.queueOnly, problem: chosen.problem };
  } catch (error) {
    newMessage.abandon();
    throw error;
  }
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

async function uucpSender(address: string | undefined, runtime: Runtime): Promise<string | undefined> {
  if (address === undefined) return undefined;
  const parsed = parseAddress(address, { allowEmpty: true });
  if ('error' in parsed) return undefined;
  return parsed.domain === undefined && parsed.address !== ''
    ? `${parsed.address}@${runtime.settings.qualifyDomain}`
    : parsed.address;
}

interface Chosen {
  readonly good: readonly string[];
  readonly headers: readonly HeaderLine[];
  /** Addresses that must not get the message. */
  readonly excluded: readonly string[];
  readonly problem: SubmissionProblem | undefined;
}

/** The recipients of the message, and its header lines without Bcc: where that was used up. */
function chooseRecipients(
  request: LocalSubmission,
  headers: readonly HeaderLine[],
  qualifier: string | undefined,
  runtime: Runtime,
): Chosen {
  const named = parseRecipients(request.recipients, qualifier, runtime);
  if (!request.recipientsFromHeaders) {
    const problem: SubmissionProblem | undefined =
      named.bad.length > 0 ? { kind: 'bad recipient', bad: named.bad } : undefined;
    const good = problem === undefined ? uniqueRecipients(named.good) : [];
    return { good, headers, excluded: [], problem };
  }
  const found = headerRecipients(headers, qualifier, runtime);
  const remove = runtime.config.main.extract_addresses_remove_arguments;
  const excluded = remove ? named.good : [];
  const keys = new Set(excluded.map((address) => lower(address)));
  const all = remove ? found.good.filter((address) => !keys.has(lower(address))) : [...found.good, ...named.good];
  const good = uniqueRecipients(all);
  const resent = headers.some(({ text }) => /^resent-/i.test(text));
  const blind = resent ? 'resent-bcc' : 'bcc';
  const shown = headers.map(
    (header): HeaderLine => (lower(headerName(header.text)) === blind ? { type: '*', text: header.text } : header),
  );
  const problem: SubmissionProblem | undefined =
    found.bad.length > 0
      ? { kind: 'bad header recipients', bad: found.bad, others: good.length > 0 }
      : good.length === 0
        ? { kind: 'no recipients' }
        : undefined;
  return { good, headers: shown, excluded, problem };
}
