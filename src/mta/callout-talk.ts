/**
 * The talk with one host about an address (Exim spec 44.46, 44.47): perhaps a local part that nobody has, the address
 * itself, perhaps the postmaster. What it says is noted as it comes; what it means for the verification is for
 * `callout.ts`.
 */

import type { DomainQuestion } from '../hints/callout-hints.ts';
import { errorNumberText } from '../lib/errno.ts';
import { type Failure, isFailure } from '../smtp/client/failure.ts';
import { type Reply, replyClass, replyText } from '../smtp/reply.ts';
import { xtext } from '../smtp/xtext.ts';
import type { CalloutConnection } from '../transports/callout.ts';
import { type Verdict, verdictOf } from '../transports/smtp-failure.ts';

/** What is asked. */
export interface CalloutQuestions {
  readonly sender: string;
  /** Octets that MAIL announces; 0 for nothing. */
  readonly size: number;
  readonly address: string;
  readonly domain: string;
  /** The local part that nobody has, when it is to be tried. */
  readonly random: string | undefined;
  /** The sender for `postmaster`, when it is to be tried, and whether it may be without a domain. */
  readonly postmasterSender: string | undefined;
  readonly fullPostmaster: boolean;
}

/** What was found out, whatever the talk came to in the end. */
export interface Findings {
  address: boolean | undefined;
  readonly domain: Map<DomainQuestion, boolean>;
}

/** Why the host did not say yes. */
export interface Unhappy {
  readonly outcome: 'fail' | 'defer';
  /** Where it happened, as `$sender_verify_failure` has it; empty where that says nothing. */
  readonly failure: 'mail' | 'recipient' | 'postmaster' | '';
  /** For the log, without the host. */
  readonly reason: string;
  /** What was sent, and what came back, if anything did. */
  readonly sent: string;
  readonly response: string | undefined;
}

export type TalkResult = { readonly outcome: 'ok'; readonly by: 'address' | 'random' } | Unhappy;

/** A connection that could not be opened. */
export function unopened({ outcome, error, objection }: Verdict): Unhappy {
  return {
    outcome: outcome === 'failed' ? 'fail' : 'defer',
    failure: '',
    reason: error.message || objection || errorNumberText(error.code) || `Unknown error ${error.code}`,
    sent: 'initial connection',
    response: error.reply,
  };
}

/** A command that was not consented to. */
function unhappy(answer: Reply | Failure, sent: string, failure: Unhappy['failure'], isRecipient: boolean): Unhappy {
  const told = (outcome: Unhappy['outcome'], reason: string, response?: string): Unhappy => {
    return { outcome, failure, reason, sent, response };
  };
  if (!isFailure(answer)) {
    const text = replyText(answer);
    const reason = isRecipient
      ? `SMTP error from remote mail server after ${sent}: ${text}`
      : `response to "${sent}" was: ${text}`;
    return told(replyClass(answer) === 5 ? 'fail' : 'defer', reason, text);
  }
  if (answer.kind === 'closed') return told('defer', `response to "${sent}" was: connection dropped`);
  const { error } = verdictOf(answer);
  return told('defer', error.message, error.reply);
}

const isYes = (answer: Reply | Failure): boolean => !isFailure(answer) && replyClass(answer) === 2;
const isNo = (answer: Reply | Failure): boolean => !isFailure(answer) && replyClass(answer) === 5;

/** Talks over a connection; `reopen` makes another one where a host will not go on after a refusal. */
export class Talk {
  #connection: CalloutConnection;
  readonly #questions: CalloutQuestions;
  readonly #findings: Findings;

  constructor(connection: CalloutConnection, questions: CalloutQuestions, findings: Findings) {
    this.#connection = connection;
    this.#questions = questions;
    this.#findings = findings;
  }

  get connection(): CalloutConnection {
    return this.#connection;
  }

  async run(reopen: () => Promise<CalloutConnection | Verdict>): Promise<TalkResult> {
    const { random, postmasterSender } = this.#questions;
    if (random !== undefined) {
      const result = await this.#random(random);
      if (result !== undefined) return result;
      if (!isYes(await this.#say('RSET', 'reset'))) {
        this.#connection.session.close();
        const again = await reopen();
        if ('outcome' in again) return unopened(again);
        this.#connection = again;
      }
    }
    const main = await this.#main();
    if (main !== undefined) return main;
    if (postmasterSender !== undefined) {
      const postmaster = await this.#postmaster(postmasterSender);
      if (postmaster !== undefined) return postmaster;
    }
    return { outcome: 'ok', by: 'address' };
  }

  /** One more recipient of a transaction that was begun for another. */
  async another(): Promise<TalkResult> {
    const sent = this.#recipientCommand(this.#questions.address);
    const answer = await this.#say(sent, 'recipient');
    this.#noteAddress(answer);
    return isYes(answer) ? { outcome: 'ok', by: 'address' } : unhappy(answer, sent, '', true);
  }

  #say(command: string, stage: 'reset' | 'mail' | 'recipient'): Promise<Reply | Failure> {
    return this.#connection.session.exchange(command, stage);
  }

  #mailCommand(sender: string): string {
    const { session, sender: authenticated } = this.#connection;
    const { address, size } = this.#questions;
    const parameters: string[] = [];
    if (size > 0 && session.extensions.has('SIZE')) parameters.push(`SIZE=${size}`);
    if (session.extensions.has('SMTPUTF8') && /[\x80-\xff]/.test(sender + address)) parameters.push('SMTPUTF8');
    if (authenticated !== undefined) parameters.push(`AUTH=${xtext(authenticated)}`);
    return [`MAIL FROM:<${sender}>`, ...parameters].join(' ');
  }

  #recipientCommand(address: string): string {
    return `RCPT TO:<${address}>`;
  }

  /** MAIL with the sender of the question; whether bounces are taken is known after it. */
  async #mail(failure: Unhappy['failure']): Promise<Unhappy | undefined> {
    const { sender } = this.#questions;
    const sent = this.#mailCommand(sender);
    const answer = await this.#say(sent, 'mail');
    if (sender === '' && (isYes(answer) || isNo(answer))) this.#findings.domain.set('takes bounces', isYes(answer));
    return isYes(answer) ? undefined : unhappy(answer, sent, failure, false);
  }

  #noteAddress(answer: Reply | Failure): void {
    if (isYes(answer) || isNo(answer)) this.#findings.address = isYes(answer);
  }

  /** Nothing when the host looks at local parts. */
  async #random(localPart: string): Promise<TalkResult | undefined> {
    const problem = await this.#mail('');
    if (problem !== undefined) return problem;
    const sent = this.#recipientCommand(`${localPart}@${this.#questions.domain}`);
    const answer = await this.#say(sent, 'recipient');
    if (!isYes(answer) && !isNo(answer)) return unhappy(answer, sent, '', true);
    this.#findings.domain.set('takes anything', isYes(answer));
    return isYes(answer) ? { outcome: 'ok', by: 'random' } : undefined;
  }

  async #main(): Promise<Unhappy | undefined> {
    const problem = await this.#mail('mail');
    if (problem !== undefined) return problem;
    const sent = this.#recipientCommand(this.#questions.address);
    const answer = await this.#say(sent, 'recipient');
    this.#noteAddress(answer);
    return isYes(answer) ? undefined : unhappy(answer, sent, isNo(answer) ? 'recipient' : '', true);
  }

  async #postmaster(sender: string): Promise<Unhappy | undefined> {
    const { domain, fullPostmaster } = this.#questions;
    const steps = [
      { sent: 'RSET', stage: 'reset' },
      { sent: this.#mailCommand(sender), stage: 'mail' },
    ] as const;
    for (const { sent, stage } of steps) {
      const answer = await this.#say(sent, stage);
      if (isYes(answer)) continue;
      const refused = stage === 'mail' && isNo(answer);
      if (refused) this.#findings.domain.set('has a postmaster', false);
      return unhappy(answer, sent, refused ? 'postmaster' : '', false);
    }
    let sent = this.#recipientCommand(`postmaster@${domain}`);
    let answer = await this.#say(sent, 'recipient');
    if (fullPostmaster && !isFailure(answer) && !isYes(answer)) {
      sent = this.#recipientCommand('postmaster');
      answer = await this.#say(sent, 'recipient');
    }
    if (isYes(answer) || isNo(answer)) this.#findings.domain.set('has a postmaster', isYes(answer));
    return isYes(answer) ? undefined : unhappy(answer, sent, isNo(answer) ? 'postmaster' : '', true);
  }
}
