/** What `verify = header_syntax` and its sisters find wrong with the header lines of a message (Exim spec 44.25). */

import type { HeaderQuestion } from '../acl/acl.ts';
import { lower } from '../lib/octets.ts';
import { addressItems, parseAddress, splitAddress } from '../mail/address.ts';
import { headerAddresses } from '../mail/address-header.ts';
import { type HeaderLine, headerBody, headerName } from '../mail/header-line.ts';
import { placeOf } from './rewrite.ts';

export interface CheckedMessage {
  readonly headers: readonly HeaderLine[];
  readonly recipients: readonly string[];
  /** Unqualified addresses are completed, and so no mistake. */
  readonly allowUnqualified: boolean;
  /** Whether a sender address can be verified. */
  verifySender(address: string): Promise<boolean>;
}

type Check = (message: CheckedMessage) => Promise<string | undefined> | string | undefined;

/** Header lines that hold addresses, except the recipients-only notation of groups. */
function addressLines({ headers }: CheckedMessage): HeaderLine[] {
  return headers.filter(({ type, text }) => type !== '*' && placeOf(text) !== undefined);
}

const syntax: Check = (message) => {
  for (const { text } of addressLines(message)) {
    const body = headerBody(text);
    for (const { start, end } of addressItems(body)) {
      const item = body.slice(start, end);
      const parsed = parseAddress(item.replace(/\n[ \t]*/g, ' '));
      const problem =
        'error' in parsed
          ? parsed.error
          : parsed.domain === undefined && parsed.address !== '' && !message.allowUnqualified
            ? 'unqualified address not permitted'
            : undefined;
      if (problem !== undefined) return `${problem}: failing address in "${headerName(text)}:" header is: ${item}`;
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
  const named = new Set<string>();
  for (const { text } of addressLines(message)) {
    const place = placeOf(text);
    if (place !== 'to' && place !== 'cc') continue;
    for (const { address } of headerAddresses(text)) named.add(withLowerDomain(address));
  }
  const blind = message.recipients.some((recipient) => !named.has(withLowerDomain(recipient)));
  return blind ? 'bcc recipient detected' : undefined;
};

function withLowerDomain(address: string): string {
  const { localPart, domain } = splitAddress(address);
  return `${localPart}@${lower(domain)}`;
}

/** At least one of Sender:, Reply-To: and From: holds an address that verifies. */
const sender: Check = async (message) => {
  for (const place of ['sender', 'reply-to', 'from']) {
    for (const { text } of addressLines(message)) {
      if (placeOf(text) !== place) continue;
      for (const { address } of headerAddresses(text)) {
        if (await message.verifySender(address)) return undefined;
      }
    }
  }
  return 'there is no valid sender in any header line';
};

const checks: Readonly<Record<HeaderQuestion, Check>> = {
  header_syntax: syntax,
  header_names_ascii: namesAscii,
  not_blind: notBlind,
  header_sender: sender,
};

export async function headerProblem(question: HeaderQuestion, message: CheckedMessage): Promise<string | undefined> {
  return checks[question](message);
}
