/**
 * Logging in with a name and a password where the protocol has no dialogue for it: an authenticator that takes both in
 * the clear is spoken to as a client of it would speak (PLAIN, RFC 4616, or LOGIN).
 */

import type { ClientAnswer, ClientConversation } from '../authenticators/authenticator.ts';
import { upper } from '../lib/octets.ts';
import { type Examiner, mechanismNamed } from './logins.ts';

/** Mechanisms that show the password to whoever can read the connection. */
const inTheClear = ['PLAIN', 'LOGIN'] as const;

export const nameOf = ({ common, name }: Examiner): string => upper(common.public_name ?? name);

export function showsPassword(examiner: Examiner): boolean {
  return inTheClear.some((name) => name === nameOf(examiner));
}

/** The authenticator that a name and a password can be given to. */
export function passwordExaminer(examiners: readonly Examiner[]): Examiner | undefined {
  return mechanismNamed('PLAIN', examiners) ?? mechanismNamed('LOGIN', examiners);
}

/** What a client says that has nothing but a name and a password. */
export function passwordConversation(examiner: Examiner, user: string, password: string): ClientConversation {
  const answers = nameOf(examiner) === 'PLAIN' ? [`\0${user}\0${password}`] : [user, password];
  const next = (): ClientAnswer => {
    const text = answers.shift();
    return text === undefined ? { outcome: 'cancelled' } : { outcome: 'text', text };
  };
  return { initial: nameOf(examiner) === 'PLAIN' ? answers.shift() : undefined, ask: async () => next() };
}
