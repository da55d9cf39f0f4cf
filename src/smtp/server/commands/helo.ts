/** HELO and EHLO (RFC 5321 §4.1.1.1). */

import type { SmtpCommand } from '../command.ts';
import type { SessionEnd, SmtpSession } from '../session.ts';

async function greet(session: SmtpSession, verb: 'HELO' | 'EHLO', name: string): Promise<SessionEnd | undefined> {
  if (session.settings.isBatch) {
    session.forgetTransaction();
    session.hasHelo = true;
    return undefined;
  }
  const { reply, extensions } = await session.policy.helo(verb, name);
  // an earlier greeting still holds
  if (!reply.code.startsWith('2')) return session.answer(reply);
  session.forgetTransaction();
  session.hasHelo = true;
  const offered = verb === 'EHLO' ? (extensions ?? []) : [];
  session.pipelining = offered.includes('PIPELINING');
  session.chunking = offered.includes('CHUNKING');
  return session.answer({ ...reply, text: [reply.text, ...offered].join('\n') });
}

const row = (verb: 'HELO' | 'EHLO'): SmtpCommand => ({
  verb,
  argument: 'optional',
  isMail: false,
  endsGroup: true,
  beginsSession: true,
  run: (session, argument) => greet(session, verb, argument),
});

export const helo = row('HELO');
export const ehlo = row('EHLO');
