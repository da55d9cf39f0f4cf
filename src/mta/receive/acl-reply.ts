/** What the client is told, and the log, when an ACL does not accept (Exim spec 44.17, 44.20). */

import type { AclResult, Phase } from '../../acl/acl.ts';
import type { SenderProblem } from '../../acl/verifier.ts';
import { trimEnd, trimStart } from '../../lib/octets.ts';
import type { Reply } from '../../smtp/server/policy.ts';
import { authenticatorField, clientTlsFields } from '../arrival-log.ts';
import { type Reception, shownInLog } from './reception.ts';

/** Codes for refusals that name none of their own; 550 for all others. */
const codes: Readonly<Partial<Record<Phase, string>>> = { AUTH: '503', ETRN: '458', VRFY: '252' };

/** Phases whose refusals are logged with the sender. */
const withSender: ReadonlySet<Phase> = new Set(['RCPT', 'MIME', 'DATA']);

const laterText = 'Temporary local problem - please try later';
/** Answers that are longer than this are broken into lines. */
const lineLength = 75;
/** A colon that comes so late in a line is the better place to break it. */
const lateColon = 35;

/** A text with an SMTP code in front, and perhaps an enhanced one. */
const coded = /^(\d\d\d)[ \t-\r](?:(\d\.\d{1,3}\.\d{1,3})[ \t-\r])?/;

/** Takes the code off a text when it begins with the right digit; one with another is reported and not used. */
export function withCode(
  standard: string,
  text: string,
  { runtime, context }: Reception,
  digit = standard.slice(0, 1),
): Reply {
  const [whole, code, enhanced] = coded.exec(text) ?? [];
  if (whole === undefined || code === undefined) return { code: standard, text };
  if (code[0] !== digit) {
    const wrong = `configured error code starts with incorrect digit (expected ${digit}) in "${text}"`;
    runtime.logs.panic(wrong, context.message?.id || undefined);
    return { code: standard, text: text.slice(whole.length) };
  }
  return { code: enhanced === undefined ? code : `${code} ${enhanced}`, text: text.slice(whole.length) };
}

/** The lines of a text as they are sent: blanks and empty lines behind the end of a line go. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  for (let end = rest.indexOf('\n'); end >= 0 && end < rest.length - 1; end = rest.indexOf('\n')) {
    lines.push(rest.slice(0, end));
    rest = trimStart(rest.slice(end + 1));
  }
  return [...lines, rest.replace(/\n$/, '')];
}

/** Long lines are broken at blanks, as clients expect short ones (RFC 5321 §4.5.3.1.5). */
export function wrapped(text: string): string {
  const lines: string[] = [];
  for (const line of linesOf(text)) {
    let rest = line;
    while (rest.length > lineLength) {
      const colon = rest.lastIndexOf(': ', lineLength - 1);
      const blank = colon >= lateColon ? colon + 1 : rest.lastIndexOf(' ', lineLength);
      const at = blank > 0 ? blank : rest.indexOf(' ');
      if (at <= 0) break;
      lines.push(rest.slice(0, at));
      rest = trimStart(rest.slice(at + 1));
    }
    lines.push(rest);
  }
  return lines.map(speakable).join('\n');
}

const speakable = (line: string): string => line.replace(/[\0-\x08\x0a-\x1f]/g, ' ');

/** What other hosts have said, line by line as they said it. */
function unwrapped(text: string): string {
  return text === '' ? '' : `${linesOf(trimEnd(text)).map(speakable).join('\n')}\n`;
}

/** The reply to a command whose ACL accepted, perhaps with a text of its own. */
export function consent(result: AclResult | undefined, code: string, standard: string, reception: Reception): Reply {
  const text = result?.userMessage ?? '';
  if (text === '') return { code, text: standard };
  const reply = withCode(code, text, reception);
  return { ...reply, text: shortened(wrapped(reply.text), reception) };
}

/** The first line alone, when an ACL said `control = no_multiline_responses`. */
function shortened(text: string, { acls }: Reception): string {
  return acls.requests.controls.noMultilineResponses ? (text.split('\n', 1)[0] ?? '') : text;
}

/** The log line of a refusal: `H=… F=<sender> rejected RCPT <a@b>: reason`. */
function logRefusal(result: AclResult, phase: Phase, what: string, reception: Reception, headers: string): void {
  const { outcome, logMessage, rejectTargets } = result;
  const temporary = outcome === 'defer' || outcome === 'error';
  const { transaction, runtime, context, connection } = reception;
  const id = context.message?.id ?? '';
  const from =
    transaction === undefined || !withSender.has(phase)
      ? ''
      : `F=<${transaction.sender}>${authenticatorField(connection)} `;
  const [reasonLine = ''] = logMessage?.split('\n') ?? [];
  const reason = logMessage === undefined ? '' : `: ${reasonLine}`;
  const tls = clientTlsFields(connection.tls, (selector) => reception.selects(selector)).replace(/^ (.*)$/s, '$1 ');
  const line = shownInLog(
    `${reception.hostText}${tls}${from}${temporary ? 'temporarily ' : ''}rejected ${what}${reason}`,
  );
  const isQuiet = phase === 'connection' && !runtime.logs.selects('connection_reject');
  runtime.logs.write(
    isQuiet ? rejectTargets.filter((log) => log !== 'main') : rejectTargets,
    line,
    id === '' ? undefined : id,
    runtime.logs.selects('rejected_header') ? headers : '',
  );
}

/** Logs what is wrong with a sender; answers what the client is told of it (Exim spec 44.50). */
function tellOf(problem: SenderProblem, reception: Reception, headers: string): string {
  const { runtime, context, hostText } = reception;
  const { address, outcome, logMessage, details, told } = problem;
  problem.told = true;
  if (!told && (outcome === 'defer' || reception.selects('sender_verify_fail'))) {
    const reason = logMessage === undefined ? '' : `: ${logMessage}`;
    const line = shownInLog(`${hostText}sender verify ${outcome} for <${address}>${reason}`);
    const id = context.message?.id ?? '';
    const shown = reception.selects('rejected_header') ? headers : '';
    runtime.logs.write(['main', 'reject'], line, id === '' ? undefined : id, shown);
  }
  if (outcome === 'defer') return runtime.config.main.smtp_return_error_details ? details : '';
  return told ? '' : details;
}

/** The refusal, which is logged; `what` is the command as the log shows it. */
export function refusal(answer: AclResult, phase: Phase, what: string, reception: Reception, headers = ''): Reply {
  const result = isMisused(answer, phase) ? misused(answer, phase, reception) : answer;
  const { outcome, userMessage, smtpCode, senderProblem } = result;
  const about = senderProblem === undefined ? '' : tellOf(senderProblem, reception, headers);
  const temporary = outcome === 'defer' || outcome === 'error';
  const standard = temporary ? '451' : (codes[phase] ?? '550');
  const text = userMessage ?? 'Administrative prohibition';
  // a client that verifies may be told anything
  const digit = phase === 'VRFY' ? text.slice(0, 1) : undefined;
  const reply = smtpCode ? withCode(standard, text, reception, digit) : { code: standard, text };
  const isCorrected = reply.code === standard && reply.text !== text && !text.startsWith(standard);
  const corrected = isCorrected && result.logMessage === userMessage ? `${reply.code} ${reply.text}` : undefined;
  logRefusal(corrected === undefined ? result : { ...result, logMessage: corrected }, phase, what, reception, headers);
  const close = outcome === 'drop';
  if (close && reception.isLogged) {
    const id = reception.context.message?.id || undefined;
    reception.runtime.logs.write(['main'], `SMTP connection from ${reception.otherSide} closed by DROP in ACL`, id);
  }
  const { smtp_return_error_details: details } = reception.runtime.config.main;
  if (temporary && (userMessage === undefined || outcome === 'error')) {
    const more = details && result.isPublic && result.logMessage ? `\n${result.logMessage}` : '';
    return { code: standard, text: shortened(wrapped(`${laterText}${more}`), reception), close };
  }
  const own = wrapped(reply.text);
  const isShort = reception.acls.requests.controls.noMultilineResponses;
  return { code: reply.code, text: isShort ? shortened(own, reception) : `${unwrapped(about)}${own}`, close };
}

/** Where there is nothing to discard, `discard` is a mistake of the configuration; as is `drop` about a parameter of MAIL. */
function isMisused({ outcome }: AclResult, phase: Phase): boolean {
  return outcome === 'discard' || (outcome === 'drop' && phase === 'MAILAUTH');
}

function misused(answer: AclResult, phase: Phase, { runtime }: Reception): AclResult {
  runtime.logs.panic(`"${answer.outcome}" verb not allowed in ${phase} ACL`);
  return { ...answer, outcome: 'error' };
}
