/**
 * Listens to a client that logs in, and knows afterwards whether its password was the empty one. Lookups that find
 * nothing make an empty password easily, and an authenticator that compares with it would let anybody in.
 */

import type { ClientAnswer, ClientConversation } from '../authenticators/authenticator.ts';
import { ntAnswer, readAuthentication, readChallenge } from '../authenticators/ntlm.ts';
import { crypto } from '../lib/crypto.ts';

export class PasswordWatch implements ClientConversation {
  readonly #client: ClientConversation;
  #challenge = '';
  #last: string | undefined;

  constructor(client: ClientConversation) {
    this.#client = client;
    this.#last = client.initial;
  }

  get initial(): string | undefined {
    return this.#client.initial;
  }

  /** Authenticators take it by itself. */
  readonly ask = async (challenge: string, form?: 'words'): Promise<ClientAnswer> => {
    const answer = await this.#client.ask(challenge, form);
    this.#challenge = challenge;
    if (answer.outcome === 'text') this.#last = answer.text;
    return answer;
  };

  /** For the mechanisms that have a password; others are never empty. */
  isEmpty(mechanism: string): boolean {
    const last = this.#last ?? '';
    if (mechanism === 'LOGIN') return last === '';
    if (mechanism === 'PLAIN') return last === '' || last.endsWith('\0');
    if (mechanism === 'NTLM') return isOfEmpty(last, this.#challenge);
    if (mechanism !== 'CRAM-MD5') return false;
    const digest = crypto().createHmac('md5', '').update(this.#challenge, 'latin1').digest('hex');
    return last.slice(last.lastIndexOf(' ') + 1) === digest;
  }
}

function isOfEmpty(last: string, challenge: string): boolean {
  const asked = readChallenge(challenge);
  return asked !== undefined && readAuthentication(last)?.answer.equals(ntAnswer('', asked.challenge)) === true;
}
