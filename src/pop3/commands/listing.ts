/** STAT, LIST and UIDL (RFC 1939 §5, §7): what is in the mailbox, without what is marked as deleted. */

import type { Listed } from '../../store/mailbox.ts';
import { messageNamed, type Pop3Command } from '../command.ts';
import type { Pop3Session } from '../session.ts';

/** Lines that are gathered before they are sent. */
const atOnce = 1000;

function left({ mailbox, removed }: Pop3Session): { readonly count: number; readonly octets: number } {
  let octets = 0;
  let count = 0;
  for (const [number, message] of (mailbox?.messages ?? []).entries()) {
    if (removed.has(number)) continue;
    octets += message.octets;
    count++;
  }
  return { count, octets };
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
      for (const [number, message] of messages.entries()) {
        if (!session.removed.has(number)) session.write(`${number + 1} ${shown(message)}\r\n`);
        if ((number + 1) % atOnce === 0) await session.flush();
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
