/** STAT, LIST and UIDL (RFC 1939 §5, §7): what is in the mailbox, without what is marked as deleted. */

import type { Listed } from '../../store/mailbox.ts';
import { Pauses } from '../../store/pause.ts';
import { messageNamed, type Pop3Command } from '../command.ts';
import type { Pop3Session } from '../session.ts';

/** Lines that are gathered before they are sent. */
const atOnce = 1000;

function left({ mailbox, removed, total, removedOctets }: Pop3Session): {
  readonly count: number;
  readonly octets: number;
} {
  return { count: (mailbox?.messages.length ?? 0) - removed.size, octets: total - removedOctets };
}

/** One line for the message that is named, or one for each. */
function listing(verb: string, shown: (message: Listed) => string | number): Pop3Command {
  return {
    verb,
    when: 'transaction',
    argument: 'optional',
    async run(session, argument) {
      const messages = session.mailbox?.messages ?? [];
      if (argument !== '') {
        const number = messageNamed(session, argument);
        const message = number === undefined ? undefined : messages[number];
        if (number !== undefined && message !== undefined) session.ok(`${number + 1} ${shown(message)}`);
        return undefined;
      }
      const { count, octets } = left(session);
      session.ok(`${count} messages (${octets} octets)`);
      const pauses = new Pauses();
      for (const [number, message] of messages.entries()) {
        if (!session.removed.has(number)) session.write(`${number + 1} ${shown(message)}\r\n`);
        if ((number + 1) % atOnce > 0) continue;
        await session.flush();
        if (session.isBroken) return 'lost';
        await pauses.pause();
      }
      session.write('.\r\n');
      return undefined;
    },
  };
}

export const list = listing('LIST', ({ octets }) => octets);
export const uidl = listing('UIDL', ({ uniqueId }) => uniqueId);

export const stat: Pop3Command = {
  verb: 'STAT',
  when: 'transaction',
  argument: 'none',
  async run(session) {
    const { count, octets } = left(session);
    return session.ok(`${count} ${octets}`);
  },
};
