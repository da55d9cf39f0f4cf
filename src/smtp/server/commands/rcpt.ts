/** RCPT TO: (RFC 5321 §4.1.1.3). */

import type { SmtpCommand } from '../command.ts';
import type { Reply } from '../policy.ts';
import type { SmtpSession } from '../session.ts';

/** What DATA tells a client all of whose recipients were refused in the same words. */
function noteRefusal(session: SmtpSession, reply: Reply): void {
  const same = session.refusal?.code === reply.code && session.refusal.text === reply.text;
  if (session.refusedRecipients === 0) session.refusal = reply;
  else if (!same) session.refusal = undefined;
  session.refusedRecipients++;
  session.hasNewRefusal = true;
}

export const rcpt: SmtpCommand = {
  verb: 'RCPT',
  words: 'TO:',
  argument: 'optional',
  isMail: true,
  endsGroup: false,
  async run(session, argument) {
    const mistake = async (kind: 'syntax' | 'protocol', text: string, code: string) => {
      noteRefusal(session, { code, text: `${code} ${text}` });
      return session.protocolError(kind, text, code);
    };
    if (!session.hasSender) {
      const reply = { code: '503', text: 'sender not yet given' };
      if (!session.pipelining || !session.isSenderRefused) return mistake('protocol', reply.text, reply.code);
      // it was sent before the refusal of MAIL was known: no mistake
      noteRefusal(session, { ...reply, text: `503 ${reply.text}` });
      return session.answer(reply);
    }
    if (argument === '') return mistake('syntax', 'RCPT must have an address operand', '501');
    const reply = await session.policy.rcpt(argument);
    const isToldWhole = reply.mistake !== undefined || reply.isToldWhole === true;
    if (reply.code.startsWith('2')) session.acceptedRecipients++;
    else noteRefusal(session, isToldWhole ? { ...reply, text: `${reply.code} ${reply.text}` } : reply);
    return session.answer(reply);
  },
};
