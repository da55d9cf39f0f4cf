/** DATA and the message behind it (RFC 5321 §4.1.1.4). */

import type { SmtpCommand } from '../command.ts';
import type { SessionEnd, SmtpSession } from '../session.ts';

/** DATA without a recipient: the client learns once more why it has none. */
function outOfOrder(session: SmtpSession): Promise<SessionEnd | undefined> {
  const { refusal } = session;
  if (refusal === undefined || session.acceptedRecipients > 0) {
    return session.protocolError('protocol', 'valid RCPT command must precede DATA', '503');
  }
  const said = refusal.code.length > 3 ? `${refusal.code.slice(4)} ${refusal.text}` : refusal.text;
  const text = `All RCPT commands were rejected with this error:\n${said}\nValid RCPT command must precede DATA`;
  return session.protocolError('protocol', text, '503');
}

export const data: SmtpCommand = {
  verb: 'DATA',
  argument: 'none',
  isMail: true,
  endsGroup: true,
  async run(session) {
    if (session.acceptedRecipients === 0) {
      if (session.refusedRecipients > 0 && session.refusal === undefined) {
        return session.protocolError('protocol', 'valid RCPT command must precede DATA', '503');
      }
      return outOfOrder(session);
    }
    const ready = await session.policy.predata();
    if (!ready.code.startsWith('3')) {
      session.endTransaction('DATA');
      return session.answer(ready);
    }
    session.send(ready);
    let cutOff: SessionEnd | undefined;
    const reply = await session.policy.message(async (take) => {
      const end = await session.readData(take);
      if (end.kind !== 'complete') cutOff = 'failed';
      return end;
    });
    session.messages++;
    session.hasSender = false;
    session.endTransaction('DATA');
    session.send(reply);
    if (cutOff !== undefined) return cutOff;
    return reply.close || session.mustClose ? 'closed' : undefined;
  },
};
