/** RETR and TOP (RFC 1939 §5, §7): a message, or its header and the first lines of its body. */

import { errorText } from '../../lib/errno.ts';
import type { Piece } from '../../store/mailbox.ts';
import { messageNamed, type Pop3Command } from '../command.ts';
import { MessageText } from '../message-text.ts';
import type { SessionEnd } from '../policy.ts';
import type { Pop3Session } from '../session.ts';

/** Octets of answers that are gathered before they are sent, while a message goes out. */
const mostGathered = 64 * 1024;

/** A piece of a message. A failure to read it is told in the logs, and is nothing for the client to know. */
async function pieceOf(session: Pop3Session, number: number, position: number): Promise<Piece> {
  try {
    return (await session.mailbox?.read(number, position)) ?? { outcome: 'gone' };
  } catch (error) {
    session.policy.failed(errorText(error));
    return { outcome: 'gone' };
  }
}

async function send(session: Pop3Session, number: number, bodyLines?: number): Promise<SessionEnd | undefined> {
  let piece = await pieceOf(session, number, 0);
  if (piece.outcome === 'gone') {
    return session.refuse({ code: 'SYS/TEMP', text: 'the message was changed or removed by somebody else' });
  }
  const octets = session.mailbox?.messages[number]?.octets ?? 0;
  session.ok(bodyLines === undefined ? `${octets} octets` : 'top of message follows');
  session.last = Math.max(session.last, number + 1);
  const text = new MessageText(bodyLines);
  for (let position = 0; ; ) {
    const part = text.take(piece.octets);
    session.write(part);
    session.octets += part.length;
    position += piece.octets.length;
    if (piece.isLast || text.isDone) break;
    if (part.length > mostGathered) await session.flush();
    if (session.isBroken) return 'lost';
    piece = await pieceOf(session, number, position);
    if (piece.outcome === 'gone') {
      session.policy.dropped(`message ${number + 1} was changed while it was sent`);
      return session.breakOff();
    }
  }
  session.write(text.end());
  return undefined;
}

export const retr: Pop3Command = {
  verb: 'RETR',
  when: 'transaction',
  argument: 'required',
  async run(session, argument) {
    const number = messageNamed(session, argument);
    if (number === undefined) return undefined;
    const end = await send(session, number);
    if (end === undefined && !session.isBroken) {
      session.retrievals++;
      session.retrieved.add(number);
    }
    return end;
  },
};

export const top: Pop3Command = {
  verb: 'TOP',
  when: 'transaction',
  argument: 'required',
  async run(session, argument) {
    const [, message = '', lines = ''] = /^(\d{1,9}) +(\d{1,9})$/.exec(argument) ?? [];
    if (lines === '') return session.mistake('TOP needs the number of a message and a number of lines');
    const number = messageNamed(session, message);
    if (number === undefined) return undefined;
    session.tops++;
    return send(session, number, Number(lines));
  },
};
