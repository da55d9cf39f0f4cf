/** MAIL: the sender and the parameters behind it (RFC 5321 §4.1.1.2, RFC 1870, RFC 6152; Exim spec 44.9). */

import { lower, trim, upper } from '../../lib/octets.ts';
import { matchTemplate } from '../../lists/option.ts';
import { parseAddress } from '../../mail/address.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { fromXtext } from '../../smtp/xtext.ts';
import type { ReturnPart } from '../../spool/envelope.ts';
import { addressOptions } from '../address-options.ts';
import { rewriteTools } from '../arrival.ts';
import { rewriteSmtp } from '../rewrite.ts';
import { hasSpace } from '../space.ts';
import { consent, refusal } from './acl-reply.ts';
import { setProtocol } from './helo.ts';
import { type Reception, shownInLog, type Transaction } from './reception.ts';
import { Pace, slowDown } from './slow-down.ts';

/** Sizes above it are not told apart. */
const greatestSize = 2_147_483_647;

interface Parameters {
  /** Octets that the client announces. */
  size: number;
  bodyType: Transaction['bodyType'];
  /** The sender that AUTH= names; nothing when it names none. */
  authenticatedSender: string | undefined;
  /** How much of the message a report is to return, and what the client calls the envelope (RFC 3461 §4.3, §4.4). */
  returnPart: ReturnPart | undefined;
  envelopeId: string | undefined;
  smtpUtf8: boolean;
  prdr: boolean;
}

/** What is wrong with a parameter; `unknown` when it is none of ours. `value` is missing where no `=` stood. */
type Parameter = (
  value: string | undefined,
  parameters: Parameters,
  reception: Reception,
) => string | 'unknown' | undefined;

const returnParts: ReadonlyMap<string, ReturnPart | undefined> = new Map([
  ['FULL', 'FULL'],
  ['HDRS', 'HDRS'],
  ['', undefined],
]);

const parameterTable: ReadonlyMap<string, Parameter> = new Map<string, Parameter>([
  [
    'SIZE',
    (value = '', parameters) => {
      parameters.size = Number(/^\d{1,15}/.exec(value)?.[0] ?? '0');
      return undefined;
    },
  ],
  [
    'BODY',
    (value = '', parameters) => {
      const type = upper(value);
      if (type !== '7BIT' && type !== '8BITMIME') return 'invalid data for BODY';
      parameters.bodyType = type;
      return undefined;
    },
  ],
  [
    'AUTH',
    (value = '', parameters) => {
      const sender = fromXtext(value);
      if (sender === undefined) return 'invalid data for AUTH';
      parameters.authenticatedSender = sender === '<>' || sender === '' ? undefined : sender;
      return undefined;
    },
  ],
  [
    'RET',
    (value, parameters, { offers }) => {
      if (parameters.returnPart !== undefined) return 'RET can be specified once only';
      const word = value === undefined ? undefined : upper(value);
      if (word === undefined || !returnParts.has(word)) return 'Value for RET is invalid';
      if (offers.dsn) parameters.returnPart = returnParts.get(word);
      return undefined;
    },
  ],
  [
    'ENVID',
    (value = '', parameters, { offers }) => {
      if (parameters.envelopeId !== undefined) return 'ENVID can be specified once only';
      if (offers.dsn) parameters.envelopeId = value;
      return undefined;
    },
  ],
  [
    'PRDR',
    (_, parameters, { offers }) => {
      parameters.prdr = offers.prdr;
      return undefined;
    },
  ],
  [
    'SMTPUTF8',
    (value, parameters, { offers }) => {
      if (value !== undefined) return 'unknown';
      if (!offers.smtpUtf8) return 'SMTPUTF8 used when not advertised';
      parameters.smtpUtf8 = true;
      return undefined;
    },
  ],
]);

interface Split {
  /** As the client wrote it. */
  readonly address: string;
  readonly found: Parameters;
}

/** Takes the known parameters off the end. What is left must be the address. */
function splitParameters(
  argument: string,
  extended: boolean,
  reception: Reception,
): Split | { readonly problem: string } {
  const found: Parameters = {
    size: 0,
    bodyType: '',
    authenticatedSender: undefined,
    returnPart: undefined,
    envelopeId: undefined,
    smtpUtf8: false,
    prdr: false,
  };
  let address = trim(argument);
  for (let count = 0; extended && count < 10; count++) {
    const [whole, name = '', value] = /[ \t]+([A-Za-z0-9-]+)(?:=([^ \t=]*))?$/.exec(address) ?? [];
    const parameter = parameterTable.get(upper(name));
    if (whole === undefined || parameter === undefined) break;
    const problem = parameter(value, found, reception);
    if (problem === 'unknown') break;
    if (problem !== undefined) return { problem };
    address = address.slice(0, -whole.length);
  }
  return { address, found };
}

/** What a local caller may not say is replaced by his own address (Exim spec 5.2). */
async function believedSender(sender: string, reception: Reception): Promise<string> {
  const { client, runtime, context } = reception;
  const { caller } = client;
  if (caller === undefined) return sender;
  if (client.sender !== undefined) return client.sender;
  if (caller.isTrusted || sender === '') return sender;
  const { untrusted_set_sender: allowed } = runtime.config.main;
  if (allowed !== undefined && (await matchTemplate(allowed, sender, context)).outcome === 'match') return sender;
  return `${caller.login}@${runtime.settings.qualifyDomain}`;
}

const mistake = (text: string, logged = text): Reply => ({ code: '501', text, mistake: 'syntax', logged });

export async function mail(argument: string, reception: Reception): Promise<Reply> {
  const { runtime, context } = reception;
  const { main } = runtime.config;
  if (reception.connection.receivedProtocol === '') setProtocol(reception);
  await reception.tools.ready();
  await slowDown('mail', reception);
  if (reception.messagesLimit > 0 && reception.accepted >= reception.messagesLimit) return tooMany(reception);
  const split = splitParameters(argument, reception.extended, reception);
  if ('problem' in split) return mistake(split.problem);
  const { found } = split;
  const text = await rewriteSmtp(split.address, 'envelope sender', rewriteTools(runtime, undefined), context);
  const parsed = parseAddress(text, { ...addressOptions(runtime.config), allowEmpty: true, utf8: found.smtpUtf8 });
  if ('error' in parsed) return mistake(`${split.address}: ${parsed.error}`, parsed.error);
  const { sizeLimit } = reception;
  if (sizeLimit > 0 && found.size > sizeLimit) {
    const size = found.size >= greatestSize ? `>=${greatestSize}` : `=${found.size}`;
    runtime.logs.rejectFor(
      'size_reject',
      `rejected MAIL FROM:${split.address}${reception.fields}: message too big: size${size} max=${sizeLimit}`,
    );
    return { code: '552', text: 'Message size exceeds maximum permitted' };
  }
  const announced = main.smtp_check_spool_space ? found.size : 0;
  if (!hasSpace(runtime, announced)) return { code: '452', text: 'Space shortage, please try later' };
  let sender = parsed.address;
  if (parsed.domain === undefined && sender !== '') {
    if (!reception.mayLackDomain.sender) {
      reception.logUnqualified('sender', sender);
      return { code: '501', text: `${split.address}: sender address must contain a domain` };
    }
    sender = `${sender}@${runtime.settings.qualifyDomain}`;
  }
  return begin(await believedSender(sender, reception), split, reception);
}

/** The client has brought enough (smtp_accept_max_per_connection). */
function tooMany(reception: Reception): Reply {
  reception.runtime.logs.reject(`rejected MAIL command${reception.fields}: too many messages in one connection`);
  return { code: '421', text: 'too many messages in this connection' };
}

/**
 * Whether the sender that AUTH= names is to be believed (Exim spec 33.2). Answers a refusal when that cannot be told now.
 */
async function judgeAuthenticatedSender(
  named: string,
  sender: string,
  reception: Reception,
): Promise<Reply | undefined> {
  const { runtime, context, acls, connection } = reception;
  const { message } = context;
  if (message === undefined) return undefined;
  const isAuthenticated = connection.authenticator !== '';
  message.authenticatedSender = named;
  const ignore = (why: string): undefined => {
    message.authenticatedSender = '';
    runtime.logs.main(shownInLog(`ignoring AUTH=${named} from${reception.fields} (${why})`));
  };
  const result = await acls.run('MAILAUTH', runtime.config.main.acl_smtp_mailauth);
  if (result === undefined && !isAuthenticated) return ignore('client not authenticated');
  if (result !== undefined && ['defer', 'error', 'drop', 'discard'].includes(result.outcome)) {
    message.authenticatedSender = '';
    return refusal(result, 'MAILAUTH', `MAILAUTH <${sender}> AUTH=${named}`, reception);
  }
  if (result !== undefined && result.outcome !== 'accept') return ignore('rejected by ACL');
  const { authenticators } = runtime.config;
  const condition = isAuthenticated
    ? authenticators.find(({ name }) => name === connection.authenticator)?.common.server_mail_auth_condition
    : undefined;
  if (condition === undefined) return undefined;
  const expansion = await condition.expand(context);
  const word = expansion.ok ? lower(trim(expansion.text.value)) : '';
  return ['', '0', 'no', 'false'].includes(word) ? ignore('server_mail_auth_condition failed') : undefined;
}

async function begin(sender: string, { address: given, found }: Split, reception: Reception): Promise<Reply> {
  const { size, bodyType, authenticatedSender, returnPart, envelopeId, smtpUtf8, prdr } = found;
  const { runtime, context, acls, client } = reception;
  const { message } = context;
  const unclear =
    authenticatedSender === undefined
      ? undefined
      : await judgeAuthenticatedSender(authenticatedSender, sender, reception);
  if (unclear !== undefined) return unclear;
  if (message) Object.assign(message, { sender, size, smtpUtf8 });
  setProtocol(reception);
  if (smtpUtf8) reception.connection.receivedProtocol = `utf8${reception.connection.receivedProtocol}`;
  const result = client.isBatch ? undefined : await acls.run('MAIL', runtime.config.main.acl_smtp_mail);
  if (result !== undefined && result.outcome !== 'accept' && result.outcome !== 'discard') {
    const reply = refusal(result, 'MAIL', `MAIL ${given}`, reception);
    reception.forgetMessage();
    return reply;
  }
  reception.paces.rcpt = new Pace();
  reception.transaction = {
    sender,
    bodyType,
    returnPart,
    envelopeId,
    smtpUtf8,
    prdr,
    recipients: [],
    notifications: [],
    attempts: 0,
    refused: 0,
    postponed: 0,
    toldOfTooMany: false,
    hasTooMany: false,
    discardedBy: result?.outcome === 'discard' ? { phase: 'MAIL', remark: remarkOf(result.logMessage) } : undefined,
  };
  return consent(result, '250', prdr ? 'OK, PRDR Requested' : 'OK', reception);
}

/** `: text` for log lines, or nothing. */
export function remarkOf(text = ''): string {
  return text === '' ? '' : `: ${text}`;
}
