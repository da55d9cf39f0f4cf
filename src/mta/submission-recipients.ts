/** Who gets a message that a local program hands over: arguments, or header lines with `-t` (Exim spec 5.3, 48.6). */

import { lower, trimEnd } from '../lib/octets.ts';
import { addressItems, parseAddress } from '../mail/address.ts';
import { type HeaderLine, headerBody, headerName } from '../mail/header-line.ts';
import { addressOptions } from './address-options.ts';
import type { LocalSubmission } from './local-submission.ts';
import type { BadAddress, SubmissionProblem } from './problem-report.ts';
import type { Runtime } from './runtime.ts';

interface Recipients {
  readonly good: readonly string[];
  readonly bad: readonly BadAddress[];
}

/** The addresses in words of the command line. */
function parseRecipients(words: readonly string[], qualifier: string | undefined, runtime: Runtime): Recipients {
  const good: string[] = [];
  const bad: BadAddress[] = [];
  const options = { ...addressOptions(runtime.config), allowDomainLiterals: true };
  for (const word of words) {
    if (word !== '' && /^[ \t]*(?:[,;]|$)/.test(word)) bad.push({ text: word, reason: 'empty address' });
    for (const { start, end } of addressItems(word, false)) {
      const parsed = parseAddress(word.slice(start, end), options);
      if ('error' in parsed) {
        bad.push({ text: word, reason: parsed.error });
        break;
      }
      if (parsed.domain !== undefined) good.push(parsed.address);
      else if (qualifier !== undefined) good.push(`${parsed.address}@${qualifier}`);
      else bad.push({ text: word, reason: 'unqualified recipient address not allowed' });
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
  const options = addressOptions(runtime.config);
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

export interface Chosen {
  readonly good: readonly string[];
  readonly headers: readonly HeaderLine[];
  /** Addresses that must not get the message. */
  readonly excluded: readonly string[];
  readonly problem: SubmissionProblem | undefined;
}

/** The recipients of the message, and its header lines without Bcc: where that was used up. */
export function chooseRecipients(
  request: Pick<LocalSubmission, 'recipients' | 'recipientsFromHeaders'>,
  headers: readonly HeaderLine[],
  qualifier: string | undefined,
  runtime: Runtime,
): Chosen {
  const named = parseRecipients(request.recipients, qualifier, runtime);
  if (!request.recipientsFromHeaders) {
    const problem: SubmissionProblem | undefined =
      named.bad.length > 0 ? { kind: 'bad recipient', bad: named.bad } : undefined;
    const good = problem === undefined ? named.good : [];
    return { good, headers, excluded: [], problem };
  }
  const found = headerRecipients(headers, qualifier, runtime);
  const remove = runtime.config.main.extract_addresses_remove_arguments;
  const excluded = remove ? named.good : [];
  const keys = new Set(excluded.map((address) => lower(address)));
  const good = remove ? found.good.filter((address) => !keys.has(lower(address))) : [...named.good, ...found.good];
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
