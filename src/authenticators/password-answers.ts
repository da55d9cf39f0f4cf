/** What clients of PLAIN and LOGIN say (RFC 4616): a user, a password, and perhaps whom they want to act as. */

import type { ClientAnswer, ClientConversation } from './authenticator.ts';

export interface PasswordAnswer {
  readonly outcome: 'answered';
  readonly user: string;
  readonly actsAs: string;
  readonly password: string;
}

type Unanswered = Exclude<ClientAnswer, { readonly outcome: 'text' }> | { readonly outcome: 'refused' };

export type PasswordQuestion = (conversation: ClientConversation) => Promise<PasswordAnswer | Unanswered>;

export const askPlain: PasswordQuestion = async ({ initial, ask }) => {
  const answer = initial === undefined ? await ask('') : ({ outcome: 'text', text: initial } as const);
  if (answer.outcome !== 'text') return answer;
  const [actsAs = '', user, password, ...more] = answer.text.split('\0');
  if (user === undefined || password === undefined || more.length > 0) return { outcome: 'refused' };
  return { outcome: 'answered', user, actsAs, password };
};

export const askLogin: PasswordQuestion = async ({ initial, ask }) => {
  const user = initial === undefined ? await ask('User Name') : ({ outcome: 'text', text: initial } as const);
  if (user.outcome !== 'text') return user;
  const password = await ask('Password');
  if (password.outcome !== 'text') return password;
  return { outcome: 'answered', user: user.text, actsAs: '', password: password.text };
};
