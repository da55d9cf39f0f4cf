/** What a command of POP3 is: one literal in `commands/`, listed in `commands.ts`. */

import type { SessionEnd } from './policy.ts';
import type { Pop3Session } from './session.ts';

export interface Pop3Command {
  readonly verb: string;
  /** Before the login, after it, or both. */
  readonly when: 'authorization' | 'transaction' | 'always';
  /** Whether something must stand behind the word, may, or must not. */
  readonly argument: 'required' | 'optional' | 'none';
  /** Answers how the session ends, if it does. */
  run(session: Pop3Session, argument: string): Promise<SessionEnd | undefined>;
}

const numeral = /^\d{1,9}$/;

/** The place in the list of the message that a command names; what is wrong with it is answered already. */
export function messageNamed(session: Pop3Session, argument: string): number | undefined {
  const { mailbox, removed } = session;
  const number = numeral.test(argument) ? Number(argument) - 1 : -1;
  if (mailbox?.messages[number] === undefined) {
    session.mistake('no such message');
    return undefined;
  }
  if (!removed.has(number)) return number;
  session.mistake('message is marked as deleted');
  return undefined;
}
