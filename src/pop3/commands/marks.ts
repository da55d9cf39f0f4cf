/** DELE, RSET, LAST, NOOP and QUIT (RFC 1939 §5, §6; RFC 1460 for LAST). */

import { messageNamed, type Pop3Command } from '../command.ts';

export const dele: Pop3Command = {
  verb: 'DELE',
  when: 'transaction',
  argument: 'required',
  async run(session, argument) {
    const number = messageNamed(session, argument);
    if (number === undefined) return undefined;
    session.removed.add(number);
    session.removedOctets += session.mailbox?.messages[number]?.octets ?? 0;
    return session.ok(`message ${number + 1} is marked as deleted`);
  },
};

export const rset: Pop3Command = {
  verb: 'RSET',
  when: 'transaction',
  argument: 'none',
  async run(session) {
    session.removed.clear();
    session.removedOctets = 0;
    session.last = 0;
    return session.ok('no message is marked as deleted');
  },
};

export const last: Pop3Command = {
  verb: 'LAST',
  when: 'transaction',
  argument: 'none',
  run: async (session) => session.ok(String(session.last)),
};

export const noop: Pop3Command = {
  verb: 'NOOP',
  when: 'transaction',
  argument: 'none',
  run: async (session) => session.ok('still here'),
};

export const quit: Pop3Command = {
  verb: 'QUIT',
  when: 'always',
  argument: 'none',
  run: (session) => session.commit(),
};
