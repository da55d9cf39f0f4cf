/** What `verify = header_syntax` and its sisters find wrong with the header lines of a message (Exim spec 44.25). */

import type { HeaderQuestion } from '../acl/verifier.ts';
import { printing } from '../lib/escapes.ts';
import { lower, trim } from '../lib/octets.ts';
import { addressItems, parseAddress, splitAddress } from '../mail/address.ts';
import { headerAddresses } from '../mail/address-header.ts';
import { type HeaderLine, headerBody, headerName } from '../mail/header-line.ts';
import { placeOf } from './rewrite.ts';

export interface CheckedMessage {
  readonly headers: readonly HeaderLine[];
  readonly recipients: readonly string[];
  /** `not_blind/case_insensitive`: local parts are compared without regard to case. */
  readonly ignoresCase?: boolean;
  /** Unqualified addresses are completed, and so no mistake. */
  readonly allowUnqualified: boolean;
}

type Check = (message: CheckedMessage) => string | undefined;

/** Header lines that hold addresses, except the recipients-only notation of groups. */
function addressLines({ headers }: Pick<CheckedMessage, 'headers'>): HeaderLine[] {
  return headers.filter(({ type, text }) => type !== '*' && placeOf(text) !== undefined);
}

const syntax: Check = (message) => {
  for (const { text } of addressLines(message)) {
    const body = headerBody(text);
    for (const { start, end } of addressItems(body)) {
      const item = body.slice(start, end);
      // the last one has the end of the line with it, as errors show
      const rest = trim(body.slice(end)) === '' ? '\n' : '';
      const parsed = parseAddress(`${item.replace(/\n[ \t]*/g, ' ')}${rest}`, { allowDomainLiterals: true });
      const problem =
        'error' in parsed
          ? parsed.error === 'empty address'
            ? undefined
            : parsed.error
          : parsed.domain === undefined && parsed.address !== '' && !message.allowUnqualified
            ? 'unqualified address not permitted'
            : undefined;
      const behind = body[end] === ';' ? ';' : '';
      if (problem !== undefined) {
        return `${printing(problem, true)}: failing address in "${headerName(text)}:" header is: ${item}${behind}`;
      }
    }
  }
  return undefined;
};

const namesAscii: Check = ({ headers }) => {
  const bad = headers.find(({ type, text }) => type !== '*' && /[^!-~]/.test(headerName(text)));
  return bad === undefined ? undefined : `Invalid character in header "${headerName(bad.text)}" found`;
};

/** Every recipient of the envelope stands in To: or Cc:. */
const notBlind: Check = (message) => {
  const { ignoresCase } = message;
  const key = (address: string): string => (ignoresCase ? lower(address) : withLowerDomain(address));
  const named = new Set<string>();
  for (const { text } of addressLines(message)) {
    const place = placeOf(text);
    if (place !== 'to' && place !== 'cc') continue;
    for (const { address } of headerAddresses(text)) named.add(key(address));
  }
  const blind = message.recipients.some((recipient) => !named.has(key(recipient)));
  return blind ? 'bcc recipient detected' : undefined;
};

function withLowerDomain(address: string): string {
  const { localPart, domain } = splitAddress(address);
  return `${localPart}@${lower(domain)}`;
}

/** A header line that names senders, and one of its addresses, or what is wrong with it. */
export interface HeaderSender {
  /** `From:`, as it is written. */
  readonly name: string;
  readonly address: string;
  readonly problem: string | undefined;
}

/** The addresses of Sender:, Reply-To: and From:, in this order. */
export function headerSenders(message: Pick<CheckedMessage, 'headers'>): HeaderSender[] {
  const found: HeaderSender[] = [];
  for (const place of ['sender', 'reply-to', 'from']) {
    for (const { text } of addressLines(message)) {
      if (placeOf(text) !== place) continue;
      const body = headerBody(text);
      const name = `${headerName(text)}:`;
      for (const { start, end } of addressItems(body)) {
        const item = body.slice(start, end);
        const parsed = parseAddress(item.replace(/\n[ \t]*/g, ' '));
        if ('error' in parsed) {
          found.push({ name, address: item, problem: parsed.error });
        } else if (parsed.address !== '') found.push({ name, address: parsed.address, problem: undefined });
      }
    }
  }
  return found;
}

const checks: Readonly<Record<HeaderQuestion, Check>> = {
  header_syntax: syntax,
  header_names_ascii: namesAscii,
  not_blind: notBlind,
};

export function headerProblem(question: HeaderQuestion, message: CheckedMessage): string | undefined {
  return checks[question](message);
}
