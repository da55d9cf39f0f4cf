/** HELO and EHLO: the client's name, whether it is right, and what we offer (Exim spec 14: helo_*, 44.8; RFC 5321 §4.1.1.1). */

import { lower, upper } from '../../lib/octets.ts';
import { matchTemplate } from '../../lists/option.ts';
import { parseIp } from '../../net/address.ts';
import type { HeloAnswer, Reply } from '../../smtp/server/policy.ts';
import { type Examiner, offered } from '../logins.ts';
import { consent, refusal } from './acl-reply.ts';
import { type Reception, shownInLog } from './reception.ts';

const longest = 256;

/** A name of letters, digits, dots and hyphens, and what else is allowed; or an address in brackets. */
function isWellFormed(name: string, allowed: string): boolean {
  if (name === '' || name.length > longest) return false;
  const literal = /^\[(?:ipv6:)?([^\]]*)\]$/.exec(lower(name))?.[1];
  if (literal !== undefined) return parseIp(literal) !== undefined;
  return [...name].every((letter) => /[A-Za-z0-9.-]/.test(letter) || allowed.includes(letter));
}

/** What EHLO offers besides what is always offered. */
interface Offers {
  readonly pipelining: boolean;
  readonly pipeConnect: boolean;
  readonly chunking: boolean;
}

function extensions(reception: Reception, { pipelining, pipeConnect, chunking }: Offers): string[] {
  const { runtime, sizeLimit, mechanisms, offersTls, offers } = reception;
  const { main } = runtime.config;
  const offered = [sizeLimit > 0 ? `SIZE ${sizeLimit}` : 'SIZE'];
  if (main.accept_8bitmime) offered.push('8BITMIME');
  if (offers.dsn) offered.push('DSN');
  if (main.acl_smtp_etrn !== undefined) offered.push('ETRN');
  if (main.acl_smtp_vrfy !== undefined) offered.push('VRFY');
  if (main.acl_smtp_expn !== undefined) offered.push('EXPN');
  if (pipelining) offered.push('PIPELINING');
  if (pipeConnect) offered.push('PIPECONNECT');
  if (mechanisms.length > 0) {
    offered.push(`AUTH ${mechanisms.map(({ common, name }) => upper(common.public_name ?? name)).join(' ')}`);
  }
  if (chunking) offered.push('CHUNKING');
  if (offersTls) offered.push('STARTTLS');
  if (offers.prdr) offered.push('PRDR');
  if (offers.smtpUtf8) offered.push('SMTPUTF8');
  return [...offered, 'HELP'];
}

/** Refuses a name that is not the client's where `helo_verify_hosts` asks for that. */
async function verified(verb: string, name: string, reception: Reception): Promise<Reply | undefined> {
  const { runtime, acls } = reception;
  const { helo_verify_hosts: must, helo_try_verify_hosts: tries } = runtime.config.main;
  const isRequired = await reception.isIn(must);
  reception.heloIsWrong = false;
  if (!isRequired && !(await reception.isIn(tries))) return undefined;
  const found = await acls.verifyHelo();
  if (found === 'verified') return undefined;
  reception.heloIsWrong = true;
  if (!isRequired) return undefined;
  const temporary = found === 'deferred';
  runtime.logs.reject(
    `${temporary ? 'temporarily ' : ''}rejected "${verb} ${shownInLog(name)}" from ${reception.name}`,
  );
  return { code: temporary ? '451' : '550', text: `${verb} argument does not match calling host` };
}

/** The answer to the greeting of a client. */
export async function greeted(verb: 'HELO' | 'EHLO', name: string, reception: Reception): Promise<HeloAnswer> {
  const { runtime, connection, context, acls } = reception;
  const { main } = runtime.config;
  if (!isWellFormed(name, main.helo_allow_chars ?? '') && !(await reception.isIn(main.helo_accept_junk_hosts))) {
    const shown = name === '' ? '(no argument given)' : shownInLog(name);
    runtime.logs.reject(`rejected ${verb} from ${reception.name}: syntactically invalid argument(s): ${shown}`);
    return { reply: { code: '501', text: `Syntactically invalid ${verb} argument(s)`, mistake: 'syntax', logged: '' } };
  }
  connection.heloName = name;
  const lookUp = main.helo_lookup_domains;
  if (lookUp !== undefined && (await matchTemplate(lookUp, name, context)).outcome === 'match') {
    await context.services.findHostName(context);
  }
  const wrong = await verified(verb, name, reception);
  if (wrong !== undefined) {
    return { reply: wrong };
  }
  const result = await acls.run('EHLO or HELO', main.acl_smtp_helo);
  if (result !== undefined && result.outcome !== 'accept') {
    const reply = refusal(result, 'EHLO or HELO', `EHLO or HELO ${name}`, reception);
    if (result.outcome !== 'drop') connection.heloName = '';
    return { reply };
  }
  reception.extended = verb === 'EHLO';
  context.message?.aclVariables.clear();
  setProtocol(reception);
  const ident = connection.ident === '' ? '' : `${connection.ident} at `;
  const address = connection.hostAddress === '' ? '' : ` [${connection.hostAddress}]`;
  const standard = `${reception.hostname} Hello ${ident}${connection.hostName || name}${address}`;
  const reply = oneLine(consent(result, '250', standard, reception), reception);
  const { tls_advertise_hosts: forTls } = main;
  reception.offersTls = verb === 'EHLO' && connection.tls === undefined && (await reception.isOffered(forTls));
  connection.pipelining = undefined;
  reception.mechanisms = verb === 'EHLO' ? await mechanismsFor(reception) : [];
  reception.offers = { dsn: false, smtpUtf8: false, prdr: false };
  return { reply, extensions: verb === 'EHLO' ? extensions(reception, await offersOf(reception)) : [] };
}

/** Who talks to us through a pipe is offered all. */
async function offersOf(reception: Reception): Promise<Offers> {
  const { runtime, connection, acls } = reception;
  const { main } = runtime.config;
  const isLocal = connection.hostAddress === '';
  const pipelining =
    !acls.requests.controls.noPipelining && (isLocal || (await reception.isIn(main.pipelining_advertise_hosts)));
  // it is of use to those who come again, and is not told behind a message
  const pipeConnect =
    !reception.hasSeenData && pipelining && !isLocal && (await reception.isIn(main.pipelining_connect_advertise_hosts));
  connection.pipelining = pipelining ? 'offered' : undefined;
  if (pipeConnect) connection.pipeConnect ??= 'offered';
  reception.offers = {
    dsn: await reception.isOffered(main.dsn_advertise_hosts),
    prdr: main.prdr_enable,
    smtpUtf8: main.accept_8bitmime && (await reception.isOffered(main.smtputf8_advertise_hosts)),
  };
  return { pipelining, pipeConnect, chunking: await reception.isOffered(main.chunking_advertise_hosts) };
}

/** What EHLO offers must be all that stands in further lines. */
function oneLine(reply: Reply, { runtime }: Reception): Reply {
  const [first = '', ...more] = reply.text.split('\n');
  if (more.length === 0) return reply;
  runtime.logs.panic(
    `EHLO/HELO response must not contain newlines: message truncated: ${reply.code} ${reply.text.replaceAll('\n', '\\n')}`,
  );
  return { ...reply, text: first };
}

/** The ways to log in that this client is offered; none when it has logged in. */
async function mechanismsFor(reception: Reception): Promise<readonly Examiner[]> {
  const { runtime, context, connection } = reception;
  if (connection.authenticator !== '') return [];
  const { auth_advertise_hosts: hosts } = runtime.config.main;
  const isOffered = connection.hostAddress === '' ? hosts !== undefined : await reception.isIn(hosts);
  return isOffered ? offered(runtime, context) : [];
}

/** `$received_protocol`: `smtp` or `esmtp`, `…s` over TLS, `…a` after AUTH, `local-…` from a local process (Exim spec 11.9). */
export function setProtocol({ connection, client, extended }: Reception): void {
  if (client.isBatch) connection.receivedProtocol = client.protocol ?? 'local-bsmtp';
  else {
    const origin = connection.hostAddress === '' ? 'local-' : '';
    const secured = connection.tls === undefined ? '' : 's';
    const authenticated = connection.authenticator === '' || !extended ? '' : 'a';
    connection.receivedProtocol = `${origin}${extended ? 'esmtp' : 'smtp'}${secured}${authenticated}`;
  }
}
