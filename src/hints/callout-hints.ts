/**
 * What hosts have answered to callouts (Exim spec 44.48): for an address, whether it was taken; for a domain, whether its
 * hosts take bounces at all, a postmaster, and any local part. Each answer has its own age, since one that is old says
 * nothing about the others.
 */

import * as clock from '../lib/clock.ts';
import { type Clean, literal } from '../safe/taint.ts';
import { HintsFile, type HintsOwner } from './hints.ts';

/** Seconds for which answers are good. */
export interface CalloutExpiry {
  readonly positive: number;
  readonly negative: number;
}

/** What may be known of a domain. */
export type DomainQuestion = 'takes bounces' | 'has a postmaster' | 'takes anything';

export type DomainAnswers = ReadonlyMap<DomainQuestion, boolean>;

/** How the questions stand in the file. */
const letters: Readonly<Record<DomainQuestion, string>> = {
  'takes bounces': 'm',
  'has a postmaster': 'p',
  'takes anything': 'r',
};
const questions = Object.keys(letters) as DomainQuestion[];

export interface Answer {
  readonly good: boolean;
  readonly time: number;
}

/** `+1700000000`: the answer, and when it was given. */
export function readAnswer(text: string): Answer | undefined {
  const found = /^([+-])(\d{1,15})$/.exec(text);
  return found === null ? undefined : { good: found[1] === '+', time: Number(found[2]) };
}

export const writeAnswer = ({ good, time }: Answer): string => `${good ? '+' : '-'}${time}`;

/** What is known of a domain, and how that is written. */
export function readAnswers(text: string): Map<DomainQuestion, Answer> {
  const known = new Map<DomainQuestion, Answer>();
  for (const word of text.split(' ')) {
    const question = questions.find((each) => word.startsWith(letters[each]));
    const answer = readAnswer(word.slice(1));
    if (question !== undefined && answer !== undefined) known.set(question, answer);
  }
  return known;
}

export function writeAnswers(known: ReadonlyMap<DomainQuestion, Answer>): string {
  return [...known].map(([question, answer]) => letters[question] + writeAnswer(answer)).join(' ');
}

/** An answer that is not yet too old. */
function valid(answer: Answer | undefined, { positive, negative }: CalloutExpiry): boolean | undefined {
  if (answer === undefined) return undefined;
  const age = clock.seconds() - answer.time;
  return age > (answer.good ? positive : negative) ? undefined : answer.good;
}

export class CalloutHints {
  readonly #file: HintsFile;

  constructor(spool: Clean, owner: HintsOwner | undefined, complain: (error: unknown) => void) {
    this.#file = new HintsFile(spool, literal('callout'), owner, complain);
  }

  /** Whether the address was taken; nothing when it is not known any more. */
  address(key: string, expiry: CalloutExpiry): boolean | undefined {
    return valid(readAnswer(this.#file.get(`a:${key}`) ?? ''), expiry);
  }

  noteAddress(key: string, good: boolean, { positive, negative }: CalloutExpiry): void {
    const time = clock.seconds();
    this.#file.set(`a:${key}`, writeAnswer({ good, time }), time + (good ? positive : negative) + 1);
  }

  domain(key: string, expiry: CalloutExpiry): DomainAnswers {
    const known = new Map<DomainQuestion, boolean>();
    for (const [question, answer] of this.#answers(key)) {
      // that a host looks at local parts is nothing bad, and known for long
      const good = valid(answer, question === 'takes anything' ? { ...expiry, negative: expiry.positive } : expiry);
      if (good !== undefined) known.set(question, good);
    }
    return known;
  }

  /** Adds answers to those that are known. */
  noteDomain(key: string, answers: DomainAnswers, { positive, negative }: CalloutExpiry): void {
    if (answers.size === 0) return;
    const time = clock.seconds();
    this.#file.alone(() => {
      const known = this.#answers(key);
      for (const [question, good] of answers) known.set(question, { good, time });
      this.#file.set(`d:${key}`, writeAnswers(known), time + Math.max(positive, negative) + 1);
    });
  }

  #answers(key: string): Map<DomainQuestion, Answer> {
    return readAnswers(this.#file.get(`d:${key}`) ?? '');
  }

  close(): void {
    this.#file.close();
  }
}
