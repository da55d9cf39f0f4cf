/** AUTH (RFC 5034): logs in with a SASL mechanism; without an argument it lists them, as older clients expect. */

import { decodeBase64, encodeBase64 } from '../../lib/base64.ts';
import { upper } from '../../lib/octets.ts';
import type { Pop3Command } from '../command.ts';
import type { Said, SaslExchange } from '../policy.ts';
import type { Pop3Session } from '../session.ts';

/** The octets of a base64 text; `=` alone stands for none. */
function decoded(text: string): Said {
  if (text === '*') return { outcome: 'cancelled' };
  const octets = text === '=' ? '' : decodeBase64(text);
  return octets === undefined ? { outcome: 'malformed' } : { outcome: 'text', text: octets };
}

async function ask(session: Pop3Session, challenge: string, form?: 'words'): Promise<Said> {
  const line = await session.ask(`+ ${form === 'words' ? challenge : encodeBase64(challenge)}\r\n`);
  if (line.kind === 'too long') return { outcome: 'malformed' };
  return line.kind === 'line' ? decoded(line.text) : { outcome: 'lost' };
}

export const auth: Pop3Command = {
  verb: 'AUTH',
  when: 'authorization',
  argument: 'optional',
  async run(session, argument) {
    const { mechanisms } = await session.policy.offers();
    if (argument === '') {
      session.ok('mechanisms follow');
      session.write(`${mechanisms.map((name) => `${name}\r\n`).join('')}.\r\n`);
      return undefined;
    }
    const [, name = '', text] = /^([^ ]+)(?: +(.*))?$/s.exec(argument) ?? [];
    const mechanism = mechanisms.find((each) => each === upper(name));
    if (mechanism === undefined) return session.mistake('no such mechanism is offered');
    const initial = text === undefined ? undefined : decoded(text);
    if (initial !== undefined && initial.outcome !== 'text') return session.mistake('invalid base64 data');
    const exchange: SaslExchange = { initial: initial?.text, ask: (challenge, form) => ask(session, challenge, form) };
    return session.loggedIn(await session.policy.authenticate(mechanism, exchange));
  },
};
