/** Conditions that match a list: hosts, domains, local_parts, recipients, senders, sender_domains, authenticated, encrypted. */

import type { Context, ListAnswer, ListKind } from '../../expand/context.ts';
import { type Eventual, then } from '../../lib/eventual.ts';
import { splitList } from '../../lib/list-text.ts';
import { lower, trim } from '../../lib/octets.ts';
import { matchTemplate } from '../../lists/option.ts';
import { splitAddress } from '../../mail/address.ts';
import type { Text } from '../../safe/taint.ts';
import type { AclRun, ConditionAnswer, ListCondition, Phase, TextCondition } from '../acl.ts';
import { withoutAddress, withoutMessage, withoutRecipient } from '../phases.ts';

interface ListLiteral {
  readonly name: string;
  readonly doc: string;
  readonly list: ListKind;
  readonly forbidden: readonly Phase[];
  subject(run: AclRun): string;
  /** Keeps what the match found. */
  keep?(context: Context, value: Text | undefined): void;
  /** Nothing is known when nothing matched; else what an earlier match found stays. */
  forget?(context: Context): void;
}

function list(literal: ListLiteral): ListCondition {
  const { list: kind, name, doc, forbidden } = literal;
  const answerOf = (answer: ListAnswer, run: AclRun): ConditionAnswer => {
    if (answer.outcome === 'defer') {
      run.services.log(['main', 'panic'], answer.message);
      return { defer: '' };
    }
    if (answer.outcome === 'no match') {
      literal.forget?.(run.context);
      return 'false';
    }
    literal.keep?.(run.context, answer.value);
    if (answer.numeric !== undefined) run.context.results.numeric = answer.numeric;
    return 'true';
  };
  return {
    kind: 'list condition',
    name,
    doc,
    forbidden,
    test(template, run): Eventual<ConditionAnswer> {
      const caseful = run.controls.caselessLocalPart === false && (kind === 'localpart' || kind === 'address');
      const answer = matchTemplate({ kind, template }, literal.subject(run), run.context, { caseful });
      return then(answer, (found) => answerOf(found, run));
    },
  };
}

/** Whether a word is in a list of words, `*` meaning any. */
export function inWords(text: string, word: string): boolean {
  let last = false;
  for (const item of splitList(text).items) {
    const negated = item.startsWith('!');
    const pattern = lower(negated ? trim(item.slice(1)) : item);
    const matches = pattern.startsWith('*') ? lower(word).endsWith(pattern.slice(1)) : pattern === lower(word);
    if (matches) return !negated;
    last = negated;
  }
  return last;
}

const words = (
  name: string,
  doc: string,
  forbidden: readonly Phase[],
  subject: (run: AclRun) => string,
): TextCondition => ({
  kind: 'condition',
  name,
  doc,
  forbidden,
  test(text, run) {
    const word = subject(run);
    return word !== '' && inWords(text, word) ? 'true' : 'false';
  },
});

export const listConditions: readonly (ListCondition | TextCondition)[] = [
  list({
    name: 'hosts',
    doc: 'The sending host is in the list.',
    list: 'host',
    forbidden: ['non-SMTP-start', 'non-SMTP'],
    subject: (run) => run.context.connection?.hostAddress ?? '',
    keep({ acl }, value) {
      if (acl) acl.hostData = value;
    },
    forget({ acl }) {
      if (acl) acl.hostData = undefined;
    },
  }),
  list({
    name: 'domains',
    doc: "The recipient's domain is in the list.",
    list: 'domain',
    forbidden: withoutAddress,
    subject: (run) => run.recipient?.domain ?? '',
    keep({ address }, value) {
      if (address) address.domainData = value;
    },
  }),
  list({
    name: 'local_parts',
    doc: "The recipient's local part is in the list.",
    list: 'localpart',
    forbidden: withoutAddress,
    subject: (run) => run.recipient?.localPart ?? '',
    keep({ address }, value) {
      if (address) address.localPartData = value;
    },
  }),
  list({
    name: 'recipients',
    doc: 'The recipient is in the list.',
    list: 'address',
    forbidden: withoutRecipient,
    subject: (run) => run.recipient?.address ?? '',
    keep({ acl }, value) {
      if (acl) acl.recipientData = value;
    },
  }),
  list({
    name: 'senders',
    doc: 'The sender is in the list.',
    list: 'address',
    forbidden: withoutMessage,
    subject: (run) => run.context.message?.sender ?? '',
    keep({ acl }, value) {
      if (acl) acl.senderData = value;
    },
  }),
  list({
    name: 'sender_domains',
    doc: "The sender's domain is in the list.",
    list: 'domain',
    forbidden: withoutMessage,
    subject: (run) => splitAddress(run.context.message?.sender ?? '').domain,
  }),
  words(
    'authenticated',
    'The client has authenticated itself by one of these authenticators.',
    ['connection', 'EHLO or HELO', 'non-SMTP-start', 'non-SMTP'],
    (run) => run.context.connection?.authenticator ?? '',
  ),
  words(
    'encrypted',
    'The connection is encrypted with one of these ciphers.',
    ['EHLO or HELO', 'non-SMTP-start', 'non-SMTP'],
    (run) => run.context.connection?.tls?.cipher ?? '',
  ),
];
