/** MAIL FROM: (RFC 5321 §4.1.1.2). */

import type { SmtpCommand } from '../command.ts';

export const mail: SmtpCommand = {
  verb: 'MAIL',
  words: 'FROM:',
  argument: 'optional',
  isMail: true,
  endsGroup: false,
  async run(session, argument) {
    if (!session.hasHelo && !session.settings.isBatch && (await session.settings.requiresHelo())) {
      session.policy.withoutHelo();
      return session.answer({ code: '503', text: 'HELO or EHLO required' });
    }
    if (session.hasSender) return session.protocolError('protocol', 'sender already given', '503');
    if (argument === '') return session.protocolError('protocol', 'MAIL must have an address operand');
    const reply = await session.policy.mail(argument);
    session.hasSender = reply.code.startsWith('2');
    session.isSenderRefused = !session.hasSender;
    return session.answer(reply);
  },
};
