/** DATA and the message behind it (RFC 5321 §4.1.1.4). */

import type { SmtpCommand } from '../command.ts';
import type { SessionEnd, SmtpSession } from '../session.ts';

/**
 * DATA or BDAT without a recipient: the client learns once more why it has none. After pipelined commands that is no
 * mistake.
 */
export function outOfOrder(session: SmtpSession, verb: 'DATA' | 'BDAT'): Promise<SessionEnd | undefined> {
  const { refusal, hasNewRefusal, pipelining, policy } = session;
  const isTold = refusal !== undefined && !policy.answersInOneLine();
  const introduction = isTold ? `All RCPT commands were rejected with this error:\n${refusal.text}\n` : '';
  if (pipelining && hasNewRefusal) {
    // whoever asks once more has read the answers
    session.hasNewRefusal = false;
    return session.answer({ code: '503', text: `${introduction}Valid RCPT command must precede ${verb}` });
  }
  return session.protocolError('protocol', `${introduction}valid RCPT command must precede ${verb}`, '503');
}

export const data: SmtpCommand = {
  verb: 'DATA',
  argument: 'none',
  isMail: true,
  endsGroup: true,
  async run(session) {
    if (session.acceptedRecipients === 0) return outOfOrder(session, 'DATA');
    const ready = await session.policy.predata();
    if (!ready.code.startsWith('3')) {
      // else sender and recipients stay, and the client may ask again
      if (ready.endsTransaction) session.endTransaction('DATA');
      return session.answer(ready);
    }
    session.send(ready);
    let cutOff: 'connection-lost' | 'data-timeout' | undefined;
    const reply = await session.policy.message(async (sink) => {
      const end = await session.readData(sink);
      if (end.kind !== 'complete') cutOff = end.kind === 'timeout' ? 'data-timeout' : 'connection-lost';
      return end;
    });
    session.hasSender = false;
    session.endTransaction('DATA');
    const end = await session.answer(reply, cutOff);
    if (cutOff === undefined) session.messages++;
    session.messageDone();
    await session.policy.messageAnswered(cutOff === undefined && reply.code.startsWith('2'));
    return (cutOff && 'failed') ?? end ?? (session.mustClose ? 'closed' : undefined);
  },
};
