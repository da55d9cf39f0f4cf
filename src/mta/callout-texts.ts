/** What is said about callouts that were not happy, in Exim's words (Exim spec 44.46, 44.50). */

import type { Unhappy } from './callout-talk.ts';

export type Subject = 'sender' | 'recipient';

/** Why an address cannot be verified; both texts may be empty. */
export interface CalloutFailure {
  readonly outcome: 'fail' | 'defer';
  readonly failure: Unhappy['failure'];
  /** For the other side; of a sender this is what is told besides the refusal. */
  readonly publicMessage: string;
  readonly message: string;
  /** What a host said of the address, when it put it off. */
  readonly response?: string | undefined;
}

/** `nobody`: there is no host that could be asked; `random`: they take whatever local part. */
export type CalloutResult = { readonly outcome: 'ok'; readonly by: 'nobody' | 'address' | 'random' } | CalloutFailure;

/** What a host has said is logged in one line. */
const inOneLine = (text: string): string => text.replace(/\n/g, '\\n');

/** A host with what it said. */
export interface AskedHost {
  readonly name: string;
  readonly address: string;
}

export function refused(
  host: AskedHost,
  { failure, reason, sent, response = '' }: Unhappy,
  subject: Subject,
): CalloutFailure {
  return {
    outcome: 'fail',
    failure,
    publicMessage:
      subject === 'sender'
        ? `Called:   ${host.address}\nSent:     ${sent}\nResponse: ${response}`
        : `Callout verification failed:\n${response}`,
    message: inOneLine(`${host.name} [${host.address}] : ${reason}`),
  };
}

/** The same for a recipient, over the connection that an earlier one left: the log names no host then. */
export function refusedNext(host: AskedHost, unhappy: Unhappy): CalloutFailure {
  const message = inOneLine(`response to "${unhappy.sent}" was: ${unhappy.response ?? ''}`);
  return { ...refused(host, unhappy, 'recipient'), message };
}

/** What was known from an earlier callout. */
export function remembered(failure: CalloutFailure['failure'], subject: Subject): CalloutFailure {
  const publicMessage = known[failure];
  return { outcome: 'fail', failure, publicMessage, message: subject === 'sender' ? '' : publicMessage };
}

const known: Readonly<Record<CalloutFailure['failure'], string>> = {
  mail: '(result of an earlier callout reused).',
  recipient: 'Previous (cached) callout verification failure',
  postmaster: '(result of earlier verification reused).',
  '': '',
};

export const incomplete = (subject: Subject): string => `Could not complete ${subject} verify callout`;

/** Nobody could be asked, or nobody gave an answer; `detail` is about the only host there is. */
export function undecided(
  address: string,
  subject: Subject,
  failure: CalloutFailure['failure'],
  detail: string,
  withDetails: boolean,
): CalloutFailure {
  const plain = incomplete(subject);
  return {
    outcome: 'defer',
    failure,
    publicMessage: withDetails ? `${plain} for <${address}>.\n${advice[subject]}` : plain,
    message: detail === '' ? plain : inOneLine(`${plain}: ${detail}`),
  };
}

const unreachable =
  'The mail server(s) for the domain may be temporarily unreachable, or\nthey may be permanently unreachable from this server. In the latter case,\n';

const advice: Readonly<Record<Subject, string>> = {
  recipient: `${unreachable}the address will never be accepted.`,
  sender: `${unreachable}you need to change the address or create an MX record for its domain\nif it is supposed to be generally accessible from the Internet.\nTalk to your mail administrator for details.`,
};

/** What a client is told of a sender that was refused, before the refusal itself. */
export function senderDetails(address: string, failure: string, message: string): string {
  const [heading, explanation] = explanations.get(failure) ?? ['Verification failed for', ''];
  return `${heading} <${address}>\n${message}\n${explanation}`;
}

const explanations: ReadonlyMap<string, readonly [string, string]> = new Map([
  [
    'mail',
    [
      'Callback setup failed while verifying',
      'The initial connection, or a HELO or MAIL FROM:<> command was\nrejected. Refusing MAIL FROM:<> does not help fight spam, disregards\nRFC requirements, and stops you from receiving standard bounce\nmessages. This host does not accept mail from domains whose servers\nrefuse bounces.\n',
    ],
  ],
  [
    'postmaster',
    [
      'Postmaster verification failed while checking',
      'Several RFCs state that you are required to have a postmaster\nmailbox for each mail domain. This host does not accept mail\nfrom domains whose servers reject the postmaster address.\n',
    ],
  ],
]);
